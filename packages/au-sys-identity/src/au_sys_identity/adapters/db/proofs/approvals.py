"""ApprovalStore on SQL."""

import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import approvals
from au_sys_identity.core.approvals.models import Act, Approval, Call
from au_sys_identity.core.factors.models import Signature
from au_sys_identity.core.subjects.models import SubjectId, SubjectUrn


class SqlApprovals:
    """The table ``approvals``; each change of state is one statement that only the first one makes."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, approval: Approval) -> None:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        act = approval.act
        await self._session.execute(
            insert(approvals).values(
                id=approval.id,
                requester_id=approval.requester_id,
                requester=act.requester,
                on_behalf_of=act.on_behalf_of,
                act=json.dumps(act.document()),
                act_hash=act.hash(),
                arguments_enc=approval.arguments_sealed,
                reason=approval.reason,
                summary=approval.summary,
                reversibility=approval.reversibility,
                addressed_to=json.dumps(approval.addressed_to),
                created_at=approval.created_at,
                expires_at=approval.expires_at,
                **_decision(approval),
            )
        )

    async def get(self, approval_id: UUID) -> Approval | None:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        row = (await self._session.execute(select(approvals).where(approvals.c.id == approval_id))).first()
        return _approval(row) if row else None

    async def of_requesters(self, requesters: list[SubjectId], *, limit: int) -> list[Approval]:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        return await self._newest(approvals.c.requester_id.in_(requesters), limit)

    async def decided_by(self, person: str, *, limit: int) -> list[Approval]:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        return await self._newest(approvals.c.decided_by == person, limit)

    async def counts(self, requester: SubjectId, *, pending_at: datetime, since: datetime) -> tuple[int, int]:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        mine = approvals.c.requester_id == requester
        pending = select(func.count()).where(mine, approvals.c.state == "pending", approvals.c.expires_at > pending_at)
        lately = select(func.count()).where(mine, approvals.c.created_at > since)
        row = (await self._session.execute(select(pending.scalar_subquery(), lately.scalar_subquery()))).one()
        return int(row[0]), int(row[1])

    async def decide(self, approval: Approval) -> bool:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        return await self._swap(approval.id, "pending", **_decision(approval))

    async def withdraw(self, approval_id: UUID) -> bool:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        return await self._swap(approval_id, "pending", state="withdrawn")

    async def use(self, approval_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        return await self._swap(approval_id, "approved", approvals.c.use_before > at, state="used", used_at=at)

    async def forget_before(self, moment: datetime) -> int:
        """See :class:`~au_sys_identity.core.approvals.ports.ApprovalStore`."""
        gone = await self._session.execute(
            delete(approvals).where(approvals.c.expires_at < moment).returning(approvals.c.id)
        )
        return len(gone.all())

    async def _newest(self, wanted: ColumnElement[bool], limit: int) -> list[Approval]:
        rows = await self._session.execute(
            select(approvals).where(wanted).order_by(approvals.c.created_at.desc(), approvals.c.id.desc()).limit(limit)
        )
        return [_approval(row) for row in rows]

    async def _swap(
        self,
        approval_id: UUID,
        before: str,
        *also: ColumnElement[bool],
        **values: Any,  # Any: values of columns
    ) -> bool:
        swapped = await self._session.execute(
            update(approvals)
            .where(approvals.c.id == approval_id, approvals.c.state == before, *also)
            .values(**values)
            .returning(approvals.c.id)
        )
        return swapped.first() is not None


def _decision(approval: Approval) -> dict[str, object]:
    signed = approval.signature
    return {
        "state": approval.state,
        "note": approval.note,
        "decided_by": approval.decided_by,
        "decided_at": approval.decided_at,
        "use_before": approval.use_before,
        "used_at": approval.used_at,
        "assertion": json.dumps([b64encode(part).decode() for part in _parts(signed)]) if signed else None,
    }


def _parts(signed: Signature) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    return (
        signed.credential_id,
        signed.public_key,
        signed.authenticator_data,
        signed.client_data,
        signed.signature,
    )


def _approval(row: Row[Any]) -> Approval:  # Any: rows of a Core select are untyped
    said = json.loads(row.act)
    call = Call(said["method"], said["path"], tuple((key, value) for key, value in said["query"]), said["body_sha256"])
    behalf = SubjectUrn(row.on_behalf_of) if row.on_behalf_of else None
    return Approval(
        id=row.id,
        requester_id=row.requester_id,
        act=Act(row.id, SubjectUrn(row.requester), behalf, call, row.expires_at),
        reason=row.reason,
        summary=row.summary,
        reversibility=row.reversibility,
        addressed_to=tuple(json.loads(row.addressed_to)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=row.state,
        arguments_sealed=row.arguments_enc,
        note=row.note,
        decided_by=SubjectUrn(row.decided_by) if row.decided_by else None,
        decided_at=row.decided_at,
        use_before=row.use_before,
        used_at=row.used_at,
        signature=Signature(*map(b64decode, json.loads(row.assertion))) if row.assertion else None,
    )
