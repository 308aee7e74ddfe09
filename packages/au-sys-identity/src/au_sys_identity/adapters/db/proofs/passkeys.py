"""PasskeyStore and UsedValues on SQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import passkeys, used_values
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.factors.models import Passkey
from au_sys_identity.core.subjects.models import SubjectId


class SqlPasskeys:
    """The table ``passkeys``; a removed one's row is gone."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, passkey: Passkey) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(
                    insert(passkeys).values(
                        id=passkey.id,
                        subject_id=passkey.subject_id,
                        credential_id=passkey.credential_id,
                        public_key=passkey.public_key,
                        name=passkey.name,
                        sign_count=passkey.sign_count,
                        aaguid=passkey.aaguid,
                        transports=" ".join(passkey.transports),
                        backup_eligible=passkey.backup_eligible,
                        backed_up=passkey.backed_up,
                        created_at=passkey.created_at,
                        last_used_at=passkey.last_used_at,
                    )
                )
        except IntegrityError:
            raise Conflict("passkey") from None

    async def of_subject(self, subject_id: SubjectId) -> list[Passkey]:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        wanted = select(passkeys).where(passkeys.c.subject_id == subject_id).order_by(passkeys.c.id)
        return [_passkey(row) for row in await self._session.execute(wanted)]

    async def by_credential(self, credential_id: bytes) -> Passkey | None:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        wanted = select(passkeys).where(passkeys.c.credential_id == credential_id)
        row = (await self._session.execute(wanted)).first()
        return _passkey(row) if row else None

    async def rename(self, subject_id: SubjectId, passkey_id: UUID, name: str) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        statement = update(passkeys).where(_is(subject_id, passkey_id)).values(name=name)
        return (await self._session.execute(statement.returning(passkeys.c.id))).first() is not None

    async def remove(self, subject_id: SubjectId, passkey_id: UUID) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        statement = delete(passkeys).where(_is(subject_id, passkey_id))
        return (await self._session.execute(statement.returning(passkeys.c.id))).first() is not None

    async def remove_all(self, subject_id: SubjectId) -> int:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        statement = delete(passkeys).where(passkeys.c.subject_id == subject_id)
        return len((await self._session.execute(statement.returning(passkeys.c.id))).all())

    async def used(self, passkey: Passkey, *, sign_count: int, backed_up: bool, at: datetime) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.PasskeyStore`."""
        swapped = await self._session.execute(
            update(passkeys)
            .where(passkeys.c.id == passkey.id, passkeys.c.sign_count == passkey.sign_count)
            .values(sign_count=sign_count, backed_up=backed_up, last_used_at=at)
            .returning(passkeys.c.id)
        )
        return swapped.first() is not None


class SqlUsedValues:
    """The table ``used_values``; its key decides who was first."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, kind: str, value_hash: bytes, *, until: datetime) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.UsedValues`."""
        try:
            async with self._session.begin_nested():
                row = {"kind": kind, "value_hash": value_hash, "expires_at": until}
                await self._session.execute(insert(used_values).values(row))
        except IntegrityError:
            return False
        return True

    async def forget_expired(self, now: datetime) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.UsedValues`."""
        await self._session.execute(delete(used_values).where(used_values.c.expires_at <= now))


def _is(subject_id: SubjectId, passkey_id: UUID) -> ColumnElement[bool]:
    return and_(passkeys.c.subject_id == subject_id, passkeys.c.id == passkey_id)


def _passkey(row: Row[Any]) -> Passkey:  # Any: rows of a Core select are untyped
    return Passkey(
        id=row.id,
        subject_id=row.subject_id,
        credential_id=row.credential_id,
        public_key=row.public_key,
        name=row.name,
        created_at=row.created_at,
        sign_count=row.sign_count,
        aaguid=row.aaguid,
        transports=tuple(row.transports.split()),
        backup_eligible=row.backup_eligible,
        backed_up=row.backed_up,
        last_used_at=row.last_used_at,
    )
