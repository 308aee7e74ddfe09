"""DelegationStore: keep, find, count uses, revoke."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.subjects.models import SubjectId


class DelegationStore(Protocol):
    """Grants by id, newest first."""

    async def add(self, delegation: Delegation) -> None: ...

    async def get(self, delegation_id: UUID) -> Delegation | None: ...

    async def of_human(self, human_id: SubjectId, *, limit: int) -> list[Delegation]: ...

    async def of_agent(self, agent_id: SubjectId, *, limit: int) -> list[Delegation]: ...

    async def all(self, *, limit: int) -> list[Delegation]: ...

    async def revoke(self, delegation_id: UUID, *, at: datetime) -> bool:
        """``False`` when it was revoked before."""

    async def use(self, delegation_id: UUID, *, at: datetime) -> bool:
        """Count one use; ``False`` when none is left, or it is revoked or over."""
