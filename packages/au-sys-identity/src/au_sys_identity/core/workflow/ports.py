"""RequestStore: keep, find, and decide once."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.workflow.models import AccessRequest, State


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests to list: ``concerning`` leaves those a person asked for, ``domain`` those in an organization;
    ``after`` is the last id before.
    """

    concerning: SubjectId | None = None
    state: State | None = None
    after: UUID | None = None
    limit: int = 50
    domain: str | None = None


class RequestStore(Protocol):
    """Access requests by id."""

    async def add(self, request: AccessRequest) -> None: ...

    async def get(self, request_id: UUID) -> AccessRequest | None: ...

    async def page(self, wanted: RequestFilter) -> list[AccessRequest]:
        """In the order of their ids, newest first."""

    async def settle(self, request: AccessRequest) -> bool:
        """Keep a decision or withdrawal; ``False`` when it is not submitted any more."""
