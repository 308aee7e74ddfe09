"""Why a command of the script library cannot be carried out; core errors carry meaning, the web adapters give them a
status.

SkriptoteketError
├── NotFound                 missing, hidden, or not the caller's
├── Forbidden                the object is known to the caller, the right is missing
│   ├── FourEyesRequired     the same person may not write and approve
│   └── StepUpRequired       the sign-in proved too little for this
├── Conflict                 somebody or something was there first; ``reason`` is machine-readable
│   └── IllegalMove          a run may not go from this state to that one
├── Fenced                   a worker lost its lease and may write nothing more
├── Expired                  removed by retention
├── ValidationFailed         well-formed but wrong, one issue per field
├── MalformedUpload          the body is no multipart, or is broken off
├── NotAcceptable            an answer of this kind is not made here
├── PayloadTooLarge          a file, all files or their number are over the limit
├── IdempotencyKeyReused     same key, other content
├── TooManyRuns              one user waits for too many runs already
├── TooManyStreams           one user reads too many live views already
├── QueueFull                everybody together waits for too many runs
├── RunnerUnavailable        no live worker can ever run this
├── StorageUnavailable       blobs cannot be written or read
└── DatabaseBusy             a lock was not given in time
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class SkriptoteketError(Exception):
    """Base of every error of the script library."""


class NotFound(SkriptoteketError):
    """Missing, hidden, or not the caller's: which of them is not told."""

    def __init__(self, kind: str, key: object) -> None:
        self.kind = kind
        self.key = str(key)
        super().__init__(
            f"There is no such {kind} here: {self.key!r}. Check the address, or choose it again in the catalogue."
        )


class Forbidden(SkriptoteketError):
    """The caller knows the object and lacks a right on it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


_DID = {"submitter": "submitted", "author": "wrote"}


class FourEyesRequired(Forbidden):
    """The decider has a hand in what is decided."""

    def __init__(self, role: str) -> None:
        self.role = role
        super().__init__(
            f"You {_DID[role]} this version, and this library asks for a second person. Ask another reviewer."
        )


class StepUpRequired(Forbidden):
    """The caller's sign-in proved too little for what they want to do."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        super().__init__("Prove once more who you are, with a second factor, and send this again.")


class Conflict(SkriptoteketError):
    """Somebody or something was there first.

    ``reason`` is one of the words of the specification (``wrong_state``, ``draft_head_moved`` …); ``facts`` are what
    the caller
    needs to go on (the current head, the holder of a lock).
    """

    def __init__(self, reason: str, message: str, facts: Mapping[str, object] | None = None) -> None:
        self.reason = reason
        self.facts = dict(facts or {})
        super().__init__(message)


class IllegalMove(Conflict):
    """A run may not go from its state to the one that was asked for."""

    def __init__(self, run_id: object, current: str, wanted: str) -> None:
        self.run_id = str(run_id)
        self.current = current
        self.wanted = wanted
        super().__init__(
            "wrong_state",
            f"Run {run_id} is {current}; it cannot become {wanted}.",
            {"state": current, "wanted": wanted},
        )


class Fenced(SkriptoteketError):
    """The lease of a run is with somebody else: the worker kills its sandbox and writes nothing."""

    def __init__(self, run_id: object, attempt: int) -> None:
        self.run_id = str(run_id)
        self.attempt = attempt
        super().__init__(f"Run {run_id}, attempt {attempt}: the lease is with another worker.")


class Expired(SkriptoteketError):
    """Retention removed it; ``at`` says when."""

    def __init__(self, kind: str, key: object, at: str) -> None:
        self.kind = kind
        self.key = str(key)
        self.at = at
        super().__init__(
            f"The {kind} was removed on {at}, when its time to be kept was over. Run the tool again to get it."
        )


@dataclass(frozen=True, slots=True)
class FieldIssue:
    """One thing that is wrong: the field, a word for the rule, and a sentence with the fix."""

    field: str
    code: str
    message: str


class ValidationFailed(SkriptoteketError):
    """Well-formed but wrong; all issues are told together. ``given`` holds what was filled in, to be shown again."""

    def __init__(self, issues: Sequence[FieldIssue], given: Mapping[str, object] | None = None) -> None:
        self.issues = tuple(issues)
        self.given = dict(given or {})
        super().__init__("; ".join(f"{issue.field}: {issue.message}" for issue in self.issues))


class MalformedUpload(SkriptoteketError):
    """The body cannot be taken apart."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"The upload could not be read: {problem} Send the form again.")


class NotAcceptable(SkriptoteketError):
    """The caller takes no answer of the kind that there is."""

    def __init__(self, offered: str) -> None:
        self.offered = offered
        super().__init__(f"The answer is {offered}, which the request does not accept. Send Accept: {offered}.")


class PayloadTooLarge(SkriptoteketError):
    """A file, all files or their number are over the limit."""

    def __init__(self, what: str, limit: str) -> None:
        self.what = what
        self.limit = limit
        super().__init__(f"{what} is over the limit of {limit}. Send less, or divide it into several runs.")


class IdempotencyKeyReused(SkriptoteketError):
    """The key was used for other content within a day."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for other content. Use a new key for a new request.")


class TooManyRuns(SkriptoteketError):
    """One user has as many waiting runs as one user may have."""

    def __init__(self, limit: int, retry_after: int) -> None:
        self.limit = limit
        self.retry_after = retry_after
        super().__init__(f"You have {limit} runs waiting already. Wait for one to start, or cancel one under My runs.")


class TooManyStreams(SkriptoteketError):
    """One user reads as many live views as one user may."""

    def __init__(self, limit: int, retry_after: int = 15) -> None:
        self.limit = limit
        self.retry_after = retry_after
        super().__init__(f"You follow {limit} runs live already. Close one of the pages, then open this one again.")


class QueueFull(SkriptoteketError):
    """The queue takes no more."""

    def __init__(self, limit: int, retry_after: int) -> None:
        self.limit = limit
        self.retry_after = retry_after
        super().__init__(
            f"{limit} runs are waiting and no more are taken right now. Try again in {retry_after} seconds."
        )


class RunnerUnavailable(SkriptoteketError):
    """No live worker can ever run this; ``missing`` names what is lacking, ``fix`` what the operator does."""

    def __init__(self, missing: Sequence[str], fix: str, retry_after: int = 60) -> None:
        self.missing = tuple(missing)
        self.fix = fix
        self.retry_after = retry_after
        super().__init__(f"Tools cannot be run right now: {', '.join(missing)}. {fix}")


class StorageUnavailable(SkriptoteketError):
    """Blobs cannot be written or read."""

    def __init__(self, operation: str, retry_after: int = 10) -> None:
        self.operation = operation
        self.retry_after = retry_after
        super().__init__(f"Files cannot be kept right now. Try again in {retry_after} seconds.")


class DatabaseBusy(SkriptoteketError):
    """A lock was not given in time."""

    def __init__(self, retry_after: int = 2) -> None:
        self.retry_after = retry_after
        super().__init__(f"The database is busy. Try again in {retry_after} seconds.")
