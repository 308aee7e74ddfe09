"""InvitationStore and NoticeStore on SQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import invitations, notices
from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.notices.models import InAppNotice
from au_sys_identity.core.subjects.models import SubjectId

_UNDECIDED = invitations.c.accepted_at.is_(None) & invitations.c.revoked_at.is_(None)


class SqlInvitations:
    """The table ``invitations``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, invitation: Invitation) -> None:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        table = invitations
        same = (table.c.organization_id == invitation.organization_id) & (
            table.c.email_canonical == invitation.email_canonical
        )
        older = update(table).where(same, _UNDECIDED).values(revoked_at=invitation.created_at)
        await self._session.execute(older)
        await self._session.execute(
            insert(table).values(
                id=invitation.id,
                organization_id=invitation.organization_id,
                email=invitation.email,
                email_canonical=invitation.email_canonical,
                role=invitation.role,
                token_hash=invitation.token_hash,
                invited_by=invitation.invited_by,
                created_at=invitation.created_at,
                expires_at=invitation.expires_at,
                accepted_at=invitation.accepted_at,
                revoked_at=invitation.revoked_at,
            )
        )

    async def get(self, invitation_id: UUID) -> Invitation | None:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        row = (await self._session.execute(select(invitations).where(invitations.c.id == invitation_id))).first()
        return _invitation(row) if row else None

    async def by_token(self, token_hash: bytes) -> Invitation | None:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        wanted = select(invitations).where(invitations.c.token_hash == token_hash)
        row = (await self._session.execute(wanted)).first()
        return _invitation(row) if row else None

    async def of_organization(self, organization_id: UUID, *, before: UUID | None, limit: int) -> list[Invitation]:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        wanted = select(invitations).where(invitations.c.organization_id == organization_id)
        if before is not None:
            wanted = wanted.where(invitations.c.id < before)
        rows = await self._session.execute(wanted.order_by(invitations.c.id.desc()).limit(limit))
        return [_invitation(row) for row in rows]

    async def give_token(self, invitation_id: UUID, token_hash: bytes) -> None:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        changed = update(invitations).where(invitations.c.id == invitation_id).values(token_hash=token_hash)
        await self._session.execute(changed)

    async def accept(self, invitation_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        return await self._decide(invitation_id, accepted_at=at)

    async def revoke(self, invitation_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        return await self._decide(invitation_id, revoked_at=at)

    async def forget_before(self, moment: datetime) -> None:
        """See :class:`~au_sys_identity.core.invitations.ports.InvitationStore`."""
        await self._session.execute(delete(invitations).where(invitations.c.expires_at < moment))

    async def _decide(self, invitation_id: UUID, **values: datetime) -> bool:
        changed = update(invitations).where(invitations.c.id == invitation_id, _UNDECIDED).values(**values)
        return (await self._session.execute(changed.returning(invitations.c.id))).first() is not None


class SqlNotices:
    """The table ``notices``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, notice: InAppNotice) -> bool:
        """See :class:`~au_sys_identity.core.notices.ports.NoticeStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(notices).values(
                        id=notice.id,
                        subject_id=notice.subject_id,
                        capability=notice.capability,
                        body_enc=notice.sealed,
                        at=notice.at,
                        read_at=notice.read_at,
                    )
                )
        except IntegrityError:
            return False
        return True

    async def of_subject(self, subject_id: SubjectId, *, before: UUID | None, limit: int) -> list[InAppNotice]:
        """See :class:`~au_sys_identity.core.notices.ports.NoticeStore`."""
        own = notices.c.subject_id == subject_id
        wanted = select(notices).where(own)
        if before is not None:
            last = select(notices.c.at).where(own, notices.c.id == before).scalar_subquery()
            wanted = wanted.where((notices.c.at < last) | ((notices.c.at == last) & (notices.c.id < before)))
        rows = await self._session.execute(wanted.order_by(notices.c.at.desc(), notices.c.id.desc()).limit(limit))
        return [InAppNotice(row.id, row.subject_id, row.capability, row.body_enc, row.at, row.read_at) for row in rows]

    async def unread(self, subject_id: SubjectId) -> int:
        """See :class:`~au_sys_identity.core.notices.ports.NoticeStore`."""
        wanted = select(func.count()).where(notices.c.subject_id == subject_id, notices.c.read_at.is_(None))
        return (await self._session.execute(wanted)).scalar_one()

    async def read(self, subject_id: SubjectId, notice_id: UUID, *, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.notices.ports.NoticeStore`."""
        own = (notices.c.subject_id == subject_id) & (notices.c.id == notice_id)
        changed = update(notices).where(own).values(read_at=func.coalesce(notices.c.read_at, at))
        return (await self._session.execute(changed.returning(notices.c.id))).first() is not None

    async def forget_before(self, moment: datetime) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.NoticeStore`."""
        await self._session.execute(delete(notices).where(notices.c.at < moment))


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    return Invitation(
        row.id,
        row.organization_id,
        row.email,
        row.email_canonical,
        row.role,
        row.invited_by,
        row.created_at,
        row.expires_at,
        row.token_hash,
        row.accepted_at,
        row.revoked_at,
    )
