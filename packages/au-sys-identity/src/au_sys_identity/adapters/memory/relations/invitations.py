"""InvitationStore and NoticeStore in plain dicts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.notices.models import InAppNotice
from au_sys_identity.core.subjects.models import SubjectId


class MemoryInvitations:
    """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.invitations

    async def add(self, invitation: Invitation) -> None:
        place = (invitation.organization_id, invitation.email_canonical)
        for known in list(self._rows.values()):
            if (known.organization_id, known.email_canonical) == place:
                await self.revoke(known.id, at=invitation.created_at)
        self._rows[invitation.id] = invitation

    async def get(self, invitation_id: UUID) -> Invitation | None:
        return self._rows.get(invitation_id)

    async def by_token(self, token_hash: bytes) -> Invitation | None:
        return next((known for known in self._rows.values() if known.token_hash == token_hash), None)

    async def of_organization(self, organization_id: UUID, *, before: UUID | None, limit: int) -> list[Invitation]:
        found = [known for known in self._rows.values() if known.organization_id == organization_id]
        found = [known for known in found if before is None or known.id < before]
        return sorted(found, key=lambda known: known.id, reverse=True)[:limit]

    async def give_token(self, invitation_id: UUID, token_hash: bytes) -> None:
        self._rows[invitation_id] = replace(self._rows[invitation_id], token_hash=token_hash)

    async def accept(self, invitation_id: UUID, *, at: datetime) -> bool:
        return self._decide(invitation_id, lambda known: replace(known, accepted_at=at))

    async def revoke(self, invitation_id: UUID, *, at: datetime) -> bool:
        return self._decide(invitation_id, lambda known: replace(known, revoked_at=at))

    async def forget_before(self, moment: datetime) -> None:
        for known in [known for known in self._rows.values() if known.expires_at < moment]:
            del self._rows[known.id]

    def _decide(self, invitation_id: UUID, decided: Callable[[Invitation], Invitation]) -> bool:
        known = self._rows.get(invitation_id)
        if known is None or known.accepted_at or known.revoked_at:
            return False
        self._rows[invitation_id] = decided(known)
        return True


class MemoryNotices:
    """See :class:`~au_sys_identity.core.notices.ports.NoticeStore`."""

    def __init__(self, tables: Tables) -> None:
        self._rows = tables.notices

    async def add(self, notice: InAppNotice) -> bool:
        if notice.id in self._rows:
            return False
        self._rows[notice.id] = notice
        return True

    async def of_subject(self, subject_id: SubjectId, *, before: UUID | None, limit: int) -> list[InAppNotice]:
        found = [known for known in self._rows.values() if known.subject_id == subject_id]
        found.sort(key=lambda known: (known.at, known.id), reverse=True)
        if before is not None:
            ids = [known.id for known in found]
            found = found[ids.index(before) + 1 :] if before in ids else []
        return found[:limit]

    async def unread(self, subject_id: SubjectId) -> int:
        return sum(known.subject_id == subject_id and known.read_at is None for known in self._rows.values())

    async def read(self, subject_id: SubjectId, notice_id: UUID, *, at: datetime) -> bool:
        known = self._rows.get(notice_id)
        if known is None or known.subject_id != subject_id:
            return False
        self._rows[notice_id] = replace(known, read_at=known.read_at or at)
        return True

    async def forget_before(self, moment: datetime) -> None:
        for known in [known for known in self._rows.values() if known.at < moment]:
            del self._rows[known.id]
