"""Why storage cannot do what it was asked.

StorageError
├── NotFound             nothing is stored at the address
├── Conflict             the precondition does not hold; carries expected and actual version
├── InvalidInput         the request itself is wrong; names field, rule and fix
│   └── OutsideRange     bytes of a blob that do not exist
├── ConditionRequired    the namespace accepts conditional writes only
├── OutOfReach           the namespace belongs to the platform and is not open to this caller
├── NotPermitted         the rules of the namespace name other callers
├── AccessDenied         the server does not accept the credential, or it has not the right
├── KeyReused            an idempotency key came with two different requests
├── Unfinished           the first request with this idempotency key has left no answer
├── OffsetMismatch       a part of an upload does not begin where the last one ended
├── TooLarge             a limit on size or count
├── Unsupported          the backend lacks a capability that the call needs
├── ReadOnly             the backend takes no writes at present
├── Fenced               another owner or epoch has taken over the backend
├── FeedCompacted        the change feed no longer reaches back that far
├── Corrupt              what is stored is not what was written
└── Unavailable          not now; may be tried again
    ├── OutcomeUnknown   a write was under way; it may or may not have been carried out
    └── InUse            another process holds the files
"""

from __future__ import annotations


class StorageError(Exception):
    """The base of every error of this package."""


class NotFound(StorageError):
    """Nothing is stored at the address."""

    def __init__(self, namespace: str, key: str) -> None:
        self.namespace = namespace
        self.key = key
        super().__init__(f"Nothing is stored in namespace {namespace!r} under key {key!r}.")


class Conflict(StorageError):
    """The precondition does not hold. Versions are ``None`` where nothing is (or was expected to be) stored."""

    def __init__(self, namespace: str, key: str, expected: int | None, actual: int | None) -> None:
        self.namespace = namespace
        self.key = key
        self.expected = expected
        self.actual = actual
        wanted = "to be absent" if expected is None else f"at version {expected}"
        found = "is absent" if actual is None else f"is at version {actual}"
        super().__init__(f"Key {key!r} of namespace {namespace!r} was expected {wanted} and {found}; read it again.")


class InvalidInput(StorageError):
    """The request itself is wrong."""

    def __init__(self, field: str, problem: str, fix: str) -> None:
        self.field = field
        self.problem = problem
        self.fix = fix
        super().__init__(f"{field}: {problem}; {fix}.")


class OutsideRange(InvalidInput):
    """Bytes of a blob that do not exist."""

    def __init__(self, start: int, end: int | None, size: int) -> None:
        self.size = size
        super().__init__("range", f"bytes {start} to {end} of {size} do not exist", f"stay within 0 to {size}")


class ConditionRequired(StorageError):
    """The namespace accepts conditional writes only."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        super().__init__(
            f"Namespace {namespace!r} accepts conditional writes only;"
            " state the version that you read, or that the key is new."
        )


class OutOfReach(StorageError):
    """The namespace belongs to the platform; no right opens it here."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        super().__init__(
            f"Namespace {namespace!r} belongs to the platform and cannot be reached here, whatever the rights."
        )


class NotPermitted(StorageError):
    """The rules of the namespace name other callers."""

    def __init__(self, namespace: str, action: str) -> None:
        self.namespace = namespace
        self.action = action
        super().__init__(
            f"The rules of namespace {namespace!r} do not let this caller {action} it; an operator may add the caller"
            " to STORAGE_NAMESPACES."
        )


class AccessDenied(StorageError):
    """The server behind a remote backend does not accept the credential, or it has not the right."""

    def __init__(self, host: str, reason: str) -> None:
        self.host = host
        self.reason = reason
        super().__init__(f"{host} refuses this caller ({reason}); check STORAGE_API_KEY and the rights of its account.")


class KeyReused(StorageError):
    """An idempotency key came with two different requests."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; make a new key for each request.")


class Unfinished(StorageError):
    """The first request with this idempotency key has left no answer."""

    def __init__(self) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is under way, or was carried out and its answer was lost;"
            " try again in a moment, then read what is stored."
        )


class OffsetMismatch(StorageError):
    """A part of an upload does not begin where the last one ended; ``expected`` is where to go on."""

    def __init__(self, expected: int, given: int) -> None:
        self.expected = expected
        self.given = given
        super().__init__(f"The upload has {expected} bytes, the part begins at {given}; go on at {expected}.")


class TooLarge(StorageError):
    """A limit on size or count; ``unit`` names what is counted."""

    def __init__(self, what: str, limit: int, size: int | None = None, unit: str = "bytes") -> None:
        self.what = what
        self.limit = limit
        self.size = size
        self.unit = unit
        has = "" if size is None else f" of {size} {unit}"
        super().__init__(f"{what}{has} is over the limit of {limit} {unit}.")


class Unsupported(StorageError):
    """The backend lacks a capability that the call needs; nothing was done."""

    def __init__(self, backend: str, capability: str) -> None:
        self.backend = backend
        self.capability = capability
        super().__init__(f"Backend {backend!r} does not offer {capability}; nothing was done.")


class ReadOnly(StorageError):
    """The backend takes no writes at present."""

    def __init__(self, backend: str, reason: str) -> None:
        self.backend = backend
        self.reason = reason
        super().__init__(f"Backend {backend!r} takes no writes: {reason}.")


class Fenced(StorageError):
    """Another owner or epoch has taken over the backend; this writer must not go on."""

    def __init__(self, backend: str, epoch: int, current: int) -> None:
        self.backend = backend
        self.epoch = epoch
        self.current = current
        super().__init__(
            f"Backend {backend!r} has moved on from epoch {epoch} to {current}; this writer is fenced off."
        )


class FeedCompacted(StorageError):
    """The change feed no longer reaches back that far; read everything and follow from ``snapshot_seq``."""

    def __init__(self, since: int, snapshot_seq: int) -> None:
        self.since = since
        self.snapshot_seq = snapshot_seq
        super().__init__(
            f"Changes after {since} are no longer kept; scan the namespace, then follow the feed from {snapshot_seq}."
        )


class Corrupt(StorageError):
    """What is stored is not what was written."""

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where} is damaged: {problem}; restore it from a backup.")


class Unavailable(StorageError):
    """Not now. ``retry_after`` is in seconds."""

    def __init__(self, reason: str, retry_after: float = 1.0) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"Storage is unavailable: {reason}.")


class OutcomeUnknown(Unavailable):
    """A write's answer was lost: it may or may not have been carried out. Read before you repeat it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the outcome of a write is unknown, it may still commit ({reason})")


class InUse(Unavailable):
    """Another process holds the files; ``holder`` describes it."""

    def __init__(self, path: str, holder: str) -> None:
        self.path = path
        self.holder = holder
        super().__init__(f"{path} is held by {holder}; stop it, or reach its documents over HTTP", retry_after=5.0)
