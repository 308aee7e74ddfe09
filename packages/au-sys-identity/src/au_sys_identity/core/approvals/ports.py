"""ApprovalStore: keep, find, and swap states once."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from au_sys_identity.core.approvals.models import Approval
from au_sys_identity.core.subjects.models import SubjectId


class ApprovalStore(Protocol):
    """Approvals by id; each step of an approval is made by one, whoever else tries."""

    async def add(self, approval: Approval) -> None: ...

    async def get(self, approval_id: UUID) -> Approval | None: ...

    async def of_requesters(self, requesters: list[SubjectId], *, limit: int) -> list[Approval]:
        """Newest first."""

    async def decided_by(self, person: str, *, limit: int) -> list[Approval]:
        """Newest first."""

    async def counts(self, requester: SubjectId, *, pending_at: datetime, since: datetime) -> tuple[int, int]:
        """How many of a machine's are pending, and how many it asked for since a moment."""

    async def decide(self, approval: Approval) -> bool:
        """Keep a decision; ``False`` when it is not pending any more."""

    async def withdraw(self, approval_id: UUID) -> bool:
        """``False`` when it is not pending any more."""

    async def use(self, approval_id: UUID, *, at: datetime) -> bool:
        """Approved becomes used; ``False`` when it is not approved, used before, or too late."""

    async def forget_before(self, moment: datetime) -> int:
        """Delete those that ended earlier; how many."""
