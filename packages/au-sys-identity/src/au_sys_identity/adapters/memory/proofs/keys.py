"""KeyStore in plain dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.tokens.models import ApiKey


class MemoryKeys:
    """See :class:`~au_sys_identity.core.tokens.ports.KeyStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.api_keys

    async def add(self, key: ApiKey) -> None:
        self._rows[key.id] = key

    async def get(self, key_id: UUID) -> ApiKey | None:
        return self._rows.get(key_id)

    async def by_public_id(self, public_id: str) -> ApiKey | None:
        return next((key for key in self._rows.values() if key.public_id == public_id), None)

    async def of_owner(self, owner_id: SubjectId) -> list[ApiKey]:
        return sorted((key for key in self._rows.values() if key.owner_id == owner_id), key=lambda key: key.id)

    async def revoke(self, key_id: UUID, *, at: datetime) -> bool:
        key = self._rows.get(key_id)
        if key is None or key.revoked_at is not None:
            return False
        self._rows[key_id] = replace(key, revoked_at=at)
        return True

    async def revoke_all(self, owner_id: SubjectId, *, at: datetime) -> int:
        return sum([await self.revoke(key.id, at=at) for key in await self.of_owner(owner_id)])

    async def supersede(self, key_id: UUID, successor: UUID, *, overlap_until: datetime) -> bool:
        key = self._rows.get(key_id)
        if key is None or key.superseded_by is not None or key.revoked_at is not None:
            return False
        self._rows[key_id] = replace(key, superseded_by=successor, overlap_until=overlap_until)
        return True

    async def used(self, key_id: UUID, *, at: datetime) -> None:
        if key_id in self._rows:
            self._rows[key_id] = replace(self._rows[key_id], last_used_at=at)
