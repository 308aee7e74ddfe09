"""FactorStore on SQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import (
    mfa_challenges,
    passkeys,
    passwords,
    persons,
    recovery_codes,
    totp_secrets,
)
from au_sys_identity.core.factors.models import Challenge, Enrolled, TotpSecret
from au_sys_identity.core.subjects.models import SubjectId

_WHOSE = bindparam("whose", type_=totp_secrets.c.subject_id.type)
_ENROLLED = select(  # built once: every sign-in runs it
    exists().where(totp_secrets.c.subject_id == _WHOSE, totp_secrets.c.confirmed_at.is_not(None)),
    select(func.count()).where(recovery_codes.c.subject_id == _WHOSE).scalar_subquery(),
    select(func.count()).where(passkeys.c.subject_id == _WHOSE).scalar_subquery(),
    or_(
        exists().where(passwords.c.subject_id == _WHOSE),
        exists().where(persons.c.subject_id == _WHOSE, persons.c.auth_source != "local"),
    ),
)


class SqlFactors:
    """The tables ``totp_secrets``, ``recovery_codes`` and ``mfa_challenges``; a used row is gone."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def enrolled(self, subject_id: SubjectId) -> Enrolled:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        row = (await self._session.execute(_ENROLLED, {"whose": subject_id})).one()
        return Enrolled(totp=bool(row[0]), recovery_codes_left=row[1], passkeys=row[2], password=bool(row[3]))

    async def totp(self, subject_id: SubjectId) -> TotpSecret | None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        wanted = select(totp_secrets).where(totp_secrets.c.subject_id == subject_id)
        row = (await self._session.execute(wanted)).first()
        return TotpSecret(row.subject_id, row.secret_enc, row.confirmed_at, row.last_step) if row else None

    async def set_totp(self, secret: TotpSecret) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        await self.remove_totp(secret.subject_id)
        await self._session.execute(
            insert(totp_secrets).values(
                subject_id=secret.subject_id,
                secret_enc=secret.sealed,
                confirmed_at=secret.confirmed_at,
                last_step=secret.last_step,
            )
        )

    async def remove_totp(self, subject_id: SubjectId) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        statement = delete(totp_secrets).where(totp_secrets.c.subject_id == subject_id)
        gone = await self._session.execute(statement.returning(totp_secrets.c.subject_id))
        return gone.first() is not None

    async def accept_step(self, subject_id: SubjectId, step: int) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        swapped = await self._session.execute(
            update(totp_secrets)
            .where(totp_secrets.c.subject_id == subject_id, totp_secrets.c.last_step < step)
            .values(last_step=step)
            .returning(totp_secrets.c.subject_id)
        )
        return swapped.first() is not None

    async def set_recovery_codes(self, subject_id: SubjectId, hashes: list[bytes]) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        await self._session.execute(delete(recovery_codes).where(recovery_codes.c.subject_id == subject_id))
        if hashes:
            rows = [{"subject_id": subject_id, "code_hash": code_hash} for code_hash in hashes]
            await self._session.execute(insert(recovery_codes), rows)

    async def use_recovery_code(self, subject_id: SubjectId, code_hash: bytes) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        used = await self._session.execute(
            delete(recovery_codes)
            .where(recovery_codes.c.subject_id == subject_id, recovery_codes.c.code_hash == code_hash)
            .returning(recovery_codes.c.subject_id)
        )
        return used.first() is not None

    async def add_challenge(self, challenge: Challenge) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        await self._session.execute(
            insert(mfa_challenges).values(
                id=challenge.id,
                subject_id=challenge.subject_id,
                token_hash=challenge.token_hash,
                attempts=challenge.attempts,
                expires_at=challenge.expires_at,
                first=challenge.first,
            )
        )

    async def try_challenge(self, token_hash: bytes) -> Challenge | None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        row = (
            await self._session.execute(
                update(mfa_challenges)
                .where(mfa_challenges.c.token_hash == token_hash)
                .values(attempts=mfa_challenges.c.attempts + 1)
                .returning(mfa_challenges)
            )
        ).first()
        return _challenge(row) if row else None

    async def challenge(self, token_hash: bytes) -> Challenge | None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        wanted = select(mfa_challenges).where(mfa_challenges.c.token_hash == token_hash)
        row = (await self._session.execute(wanted)).first()
        return _challenge(row) if row else None

    async def finish_challenge(self, challenge: Challenge) -> bool:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        statement = delete(mfa_challenges).where(mfa_challenges.c.id == challenge.id)
        return (await self._session.execute(statement.returning(mfa_challenges.c.id))).first() is not None

    async def forget_challenges(self, subject_id: SubjectId) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        await self._session.execute(delete(mfa_challenges).where(mfa_challenges.c.subject_id == subject_id))

    async def forget_expired(self, now: datetime) -> None:
        """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""
        await self._session.execute(delete(mfa_challenges).where(mfa_challenges.c.expires_at <= now))


def _challenge(row: Row[Any]) -> Challenge:  # Any: rows of a Core select are untyped
    return Challenge(row.id, row.subject_id, row.token_hash, row.expires_at, row.attempts, row.first)
