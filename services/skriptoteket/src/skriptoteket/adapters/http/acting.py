"""Who acts: the caller's subject, with those of the library's rights that a verb asks about."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from starlette.requests import Request

from fastapi_services_platform import Authorizer, Principal
from skriptoteket.core.errors import FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.identifiers import RunId, VersionId
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, OPERATE, REVIEW, VIEW_ANY_RUN, Actor

MAX_WAIT = 30


class Actors:
    """Asks the platform's authorizer. Lives as long as the app."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def of(self, principal: Principal, rights: Iterable[str]) -> Actor:
        """The actor, holding those of the given rights that the authorizer grants."""
        held = [right for right in rights if (await self._authorizer.authorize(principal, right)).allowed]
        return Actor(principal.urn, frozenset(held), principal.strength)

    async def viewer(self, principal: Principal) -> Actor:
        """The caller with what counts for seeing and cancelling runs."""
        return await self.of(principal, (AUTHOR, AUTHOR_ANY, REVIEW, VIEW_ANY_RUN, OPERATE))

    async def holds(self, principal: Principal, right: str) -> bool:
        """Whether the caller holds one right."""
        return (await self._authorizer.authorize(principal, right)).allowed


def uuid_of(kind: str, text: str) -> UUID:
    """An id in a path.

    Raises:
        NotFound: it is no UUID, so nothing can be found under it.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(kind, text) from None


def run_id_of(text: str) -> RunId:
    """The run id in a path. Raises ``NotFound``."""
    return RunId(uuid_of("run", text))


def cursor_of(text: str) -> RunId:
    """Where a list goes on.

    Raises:
        ValidationFailed: no list gave this.
    """
    try:
        return RunId(UUID(text))
    except ValueError:
        raise ValidationFailed([FieldIssue("cursor", "type", "is none that a list gave; start without it")]) from None


def version_id_of(text: str) -> VersionId:
    """The version id in a path or body. Raises ``NotFound``."""
    return VersionId(uuid_of("version", text))


def waiting_time(request: Request) -> timedelta:
    """How long the caller wants to wait: ``Prefer: wait=N``, at most 30 seconds."""
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.strip().lower() == "wait" and value.strip().isdigit():
            return timedelta(seconds=min(int(value), MAX_WAIT))
    return timedelta(0)


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key header.

    Raises:
        ValidationFailed: it is not 1–128 visible ASCII characters.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= 128 or any(not 33 <= ord(character) <= 126 for character in key):
        raise ValidationFailed([FieldIssue("Idempotency-Key", "pattern", "must be 1 to 128 visible ASCII characters")])
    return key
