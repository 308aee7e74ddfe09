"""DelegationStore and MfaWindows on SQL."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import delegations, mfa_windows
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.subjects.models import SubjectId, SubjectKind, subject_urn


class SqlDelegations:
    """The table ``delegations``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, delegation: Delegation) -> None:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        await self._session.execute(
            insert(delegations).values(
                id=delegation.id,
                human_id=delegation.human_id,
                agent_id=delegation.agent_id,
                agent_kind=delegation.agent.split(":")[2],
                domain=delegation.domain,
                permissions=json.dumps(sorted(delegation.permissions)),
                resources=json.dumps(sorted(delegation.resources)),
                max_uses=delegation.max_uses,
                uses=delegation.uses,
                created_at=delegation.created_at,
                expires_at=delegation.expires_at,
                revoked_at=delegation.revoked_at,
            )
        )

    async def get(self, delegation_id: UUID) -> Delegation | None:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        found = await self._newest(delegations.c.id == delegation_id, 1)
        return found[0] if found else None

    async def of_human(self, human_id: SubjectId, *, limit: int) -> list[Delegation]:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        return await self._newest(delegations.c.human_id == human_id, limit)

    async def of_agent(self, agent_id: SubjectId, *, limit: int) -> list[Delegation]:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        return await self._newest(delegations.c.agent_id == agent_id, limit)

    async def all(self, *, limit: int) -> list[Delegation]:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        return await self._newest(true(), limit)

    async def revoke(self, delegation_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        ended = await self._session.execute(
            update(delegations)
            .where(delegations.c.id == delegation_id, delegations.c.revoked_at.is_(None))
            .values(revoked_at=at)
            .returning(delegations.c.id)
        )
        return ended.first() is not None

    async def use(self, delegation_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""
        left = or_(delegations.c.max_uses.is_(None), delegations.c.uses < delegations.c.max_uses)
        used = await self._session.execute(
            update(delegations)
            .where(
                delegations.c.id == delegation_id,
                delegations.c.revoked_at.is_(None),
                delegations.c.expires_at > at,
                left,
            )
            .values(uses=delegations.c.uses + 1)
            .returning(delegations.c.id)
        )
        return used.first() is not None

    async def _newest(self, wanted: ColumnElement[bool], limit: int) -> list[Delegation]:
        rows = await self._session.execute(
            select(delegations).where(wanted).order_by(delegations.c.id.desc()).limit(limit)
        )
        return [_delegation(row) for row in rows]


class SqlMfaWindows:
    """The table ``mfa_windows``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def open(self, key_id: UUID, *, until: datetime) -> None:
        """See :class:`~au_sys_identity.core.machines.windows.MfaWindows`."""
        await self._session.execute(delete(mfa_windows).where(mfa_windows.c.key_id == key_id))
        await self._session.execute(insert(mfa_windows).values(key_id=key_id, expires_at=until))

    async def is_open(self, key_id: UUID, now: datetime) -> bool:
        """See :class:`~au_sys_identity.core.machines.windows.MfaWindows`."""
        wanted = select(mfa_windows.c.key_id).where(mfa_windows.c.key_id == key_id, mfa_windows.c.expires_at > now)
        return (await self._session.execute(wanted)).first() is not None

    async def forget_expired(self, now: datetime) -> None:
        """See :class:`~au_sys_identity.core.machines.windows.MfaWindows`."""
        await self._session.execute(delete(mfa_windows).where(mfa_windows.c.expires_at <= now))


def _delegation(row: Row[Any]) -> Delegation:  # Any: rows of a Core select are untyped
    kind: SubjectKind = "agent" if row.agent_kind == "agent" else "app"
    return Delegation(
        id=row.id,
        human_id=row.human_id,
        agent_id=row.agent_id,
        agent=subject_urn(kind, row.agent_id),
        domain=row.domain,
        permissions=frozenset(json.loads(row.permissions)),
        resources=frozenset(json.loads(row.resources)),
        max_uses=row.max_uses,
        uses=row.uses,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
