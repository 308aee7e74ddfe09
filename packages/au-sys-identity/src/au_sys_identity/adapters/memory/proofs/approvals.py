"""ApprovalStore in plain dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.approvals.models import Approval
from au_sys_identity.core.subjects.models import SubjectId


class MemoryApprovals:
    """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.approvals

    async def add(self, approval: Approval) -> None:
        self._rows[approval.id] = approval

    async def get(self, approval_id: UUID) -> Approval | None:
        return self._rows.get(approval_id)

    async def of_requesters(self, requesters: list[SubjectId], *, limit: int) -> list[Approval]:
        return self._newest([row for row in self._rows.values() if row.requester_id in requesters], limit)

    async def decided_by(self, person: str, *, limit: int) -> list[Approval]:
        return self._newest([row for row in self._rows.values() if row.decided_by == person], limit)

    async def counts(self, requester: SubjectId, *, pending_at: datetime, since: datetime) -> tuple[int, int]:
        mine = [row for row in self._rows.values() if row.requester_id == requester]
        pending = [row for row in mine if row.state == "pending" and row.expires_at > pending_at]
        return len(pending), len([row for row in mine if row.created_at > since])

    async def decide(self, approval: Approval) -> bool:
        if self._rows[approval.id].state != "pending":
            return False
        self._rows[approval.id] = approval
        return True

    async def withdraw(self, approval_id: UUID) -> bool:
        known = self._rows[approval_id]
        return await self.decide(replace(known, state="withdrawn"))

    async def use(self, approval_id: UUID, *, at: datetime) -> bool:
        known = self._rows.get(approval_id)
        if known is None or known.state != "approved" or known.use_before is None or known.use_before <= at:
            return False
        self._rows[approval_id] = replace(known, state="used", used_at=at)
        return True

    async def forget_before(self, moment: datetime) -> int:
        gone = [row.id for row in self._rows.values() if row.expires_at < moment]
        for approval_id in gone:
            del self._rows[approval_id]
        return len(gone)

    def _newest(self, found: list[Approval], limit: int) -> list[Approval]:
        return sorted(found, key=lambda row: (row.created_at, row.id), reverse=True)[:limit]
