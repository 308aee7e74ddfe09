"""DelegationStore and MfaWindows in plain dicts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.subjects.models import SubjectId


class MemoryDelegations:
    """See :class:`~au_sys_identity.core.delegations.ports.DelegationStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.delegations

    async def add(self, delegation: Delegation) -> None:
        self._rows[delegation.id] = delegation

    async def get(self, delegation_id: UUID) -> Delegation | None:
        return self._rows.get(delegation_id)

    async def of_human(self, human_id: SubjectId, *, limit: int) -> list[Delegation]:
        return self._newest(lambda row: row.human_id == human_id, limit)

    async def of_agent(self, agent_id: SubjectId, *, limit: int) -> list[Delegation]:
        return self._newest(lambda row: row.agent_id == agent_id, limit)

    async def all(self, *, limit: int) -> list[Delegation]:
        return self._newest(lambda _row: True, limit)

    async def revoke(self, delegation_id: UUID, *, at: datetime) -> bool:
        known = self._rows.get(delegation_id)
        if known is None or known.revoked_at is not None:
            return False
        self._rows[delegation_id] = replace(known, revoked_at=at)
        return True

    async def use(self, delegation_id: UUID, *, at: datetime) -> bool:
        known = self._rows.get(delegation_id)
        if known is None or known.revoked_at is not None or known.expires_at <= at:
            return False
        if known.max_uses is not None and known.uses >= known.max_uses:
            return False
        self._rows[delegation_id] = replace(known, uses=known.uses + 1)
        return True

    def _newest(self, wanted: Callable[[Delegation], bool], limit: int) -> list[Delegation]:
        return sorted(filter(wanted, self._rows.values()), key=lambda row: row.id, reverse=True)[:limit]


class MemoryMfaWindows:
    """See :class:`~au_sys_identity.core.machines.windows.MfaWindows`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.mfa_windows

    async def open(self, key_id: UUID, *, until: datetime) -> None:
        self._rows[key_id] = until

    async def is_open(self, key_id: UUID, now: datetime) -> bool:
        return key_id in self._rows and self._rows[key_id] > now

    async def forget_expired(self, now: datetime) -> None:
        for key_id in [key_id for key_id, until in self._rows.items() if until <= now]:
            del self._rows[key_id]
