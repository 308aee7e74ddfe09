"""PasskeyStore and UsedValues in plain dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.factors.models import Passkey
from au_sys_identity.core.subjects.models import SubjectId


class MemoryPasskeys:
    """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.passkeys

    async def add(self, passkey: Passkey) -> None:
        if await self.by_credential(passkey.credential_id) is not None:
            raise Conflict("passkey")
        self._rows[passkey.id] = passkey

    async def of_subject(self, subject_id: SubjectId) -> list[Passkey]:
        theirs = [known for known in self._rows.values() if known.subject_id == subject_id]
        return sorted(theirs, key=lambda known: known.id)

    async def by_credential(self, credential_id: bytes) -> Passkey | None:
        return next((known for known in self._rows.values() if known.credential_id == credential_id), None)

    async def rename(self, subject_id: SubjectId, passkey_id: UUID, name: str) -> bool:
        if not self._theirs(subject_id, passkey_id):
            return False
        self._rows[passkey_id] = replace(self._rows[passkey_id], name=name)
        return True

    async def remove(self, subject_id: SubjectId, passkey_id: UUID) -> bool:
        if not self._theirs(subject_id, passkey_id):
            return False
        del self._rows[passkey_id]
        return True

    async def remove_all(self, subject_id: SubjectId) -> int:
        theirs = await self.of_subject(subject_id)
        for known in theirs:
            del self._rows[known.id]
        return len(theirs)

    async def used(self, passkey: Passkey, *, sign_count: int, backed_up: bool, at: datetime) -> bool:
        known = self._rows.get(passkey.id)
        if known is None or known.sign_count != passkey.sign_count:
            return False
        self._rows[known.id] = replace(known, sign_count=sign_count, backed_up=backed_up, last_used_at=at)
        return True

    def _theirs(self, subject_id: SubjectId, passkey_id: UUID) -> bool:
        known = self._rows.get(passkey_id)
        return known is not None and known.subject_id == subject_id


class MemoryUsedValues:
    """See :class:`~au_sys_identity.core.factors.ports.UsedValues`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.used_values

    async def claim(self, kind: str, value_hash: bytes, *, until: datetime) -> bool:
        if (kind, value_hash) in self._rows:
            return False
        self._rows[kind, value_hash] = until
        return True

    async def forget_expired(self, now: datetime) -> None:
        for key in [key for key, until in self._rows.items() if until <= now]:
            del self._rows[key]
