"""CredentialStore and GuessStore on SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, Table, and_, bindparam, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.dialects import inserting
from au_sys_identity.adapters.db.tables import devices, guess_counters, passwords
from au_sys_identity.core.credentials.models import Counter, Device, PasswordRecord
from au_sys_identity.core.subjects.models import SubjectId

# Statements are built once: building one costs more than running it, and every sign-in runs these.
_PASSWORD = select(passwords).where(passwords.c.subject_id == bindparam("the_subject"))
_DEVICE = select(devices).where(devices.c.token_hash == bindparam("the_hash"))
_IS = and_(guess_counters.c.scope == bindparam("the_scope"), guess_counters.c.key_hash == bindparam("the_key"))
_COUNTER = select(guess_counters).where(_IS)
_LOWER = update(guess_counters).where(_IS, guess_counters.c.failures > 0).values(failures=guess_counters.c.failures - 1)
_BLOCK = update(guess_counters).where(_IS).values(blocked_until=bindparam("until"))
_CLEAR = delete(guess_counters).where(_IS)


@lru_cache(2)
def _raising(insert_into: Callable[[Table], Any]) -> Executable:  # Any: insert() of either dialect
    """Make the counter or raise it; one whose window is over starts again at one."""
    over = guess_counters.c.window_start <= bindparam("over", type_=guess_counters.c.window_start.type)
    now = bindparam("now", type_=guess_counters.c.window_start.type)
    made: Executable = (
        insert_into(guess_counters)
        .values(scope=bindparam("scope"), key_hash=bindparam("key_hash"), failures=1, window_start=now)
        .on_conflict_do_update(
            index_elements=["scope", "key_hash"],
            set_={
                "failures": case((over, 1), else_=guess_counters.c.failures + 1),
                "window_start": case((over, now), else_=guess_counters.c.window_start),
            },
        )
        .returning(guess_counters.c.failures, guess_counters.c.window_start, guess_counters.c.blocked_until)
    )
    return made


_LONGEST_KEY = 32


class SqlCredentials:
    """The tables ``passwords`` and ``devices``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def password(self, subject_id: SubjectId) -> PasswordRecord | None:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        row = (await self._session.execute(_PASSWORD, {"the_subject": subject_id})).first()
        if row is None:
            return None
        return PasswordRecord(row.subject_id, row.hash, row.changed_at, row.must_change, row.usable_until)

    async def set_password(self, record: PasswordRecord) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        await self.remove_password(record.subject_id)
        await self._session.execute(
            insert(passwords).values(
                subject_id=record.subject_id,
                hash=record.hash,
                changed_at=record.changed_at,
                must_change=record.must_change,
                usable_until=record.usable_until,
            )
        )

    async def remove_password(self, subject_id: SubjectId) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        await self._session.execute(delete(passwords).where(passwords.c.subject_id == subject_id))

    async def device(self, token_hash: bytes) -> Device | None:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        row = (await self._session.execute(_DEVICE, {"the_hash": token_hash})).first()
        return Device(row.subject_id, row.token_hash, row.label, row.last_seen_at) if row else None

    async def keep_device(self, device: Device) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        await self._session.execute(delete(devices).where(devices.c.token_hash == device.token_hash))
        await self._session.execute(
            insert(devices).values(
                token_hash=device.token_hash,
                subject_id=device.subject_id,
                label=device.label,
                last_seen_at=device.last_seen_at,
            )
        )

    async def devices(self, subject_id: SubjectId) -> list[Device]:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        wanted = select(devices).where(devices.c.subject_id == subject_id)
        rows = await self._session.execute(wanted.order_by(devices.c.last_seen_at.desc(), devices.c.token_hash.desc()))
        return [Device(row.subject_id, row.token_hash, row.label, row.last_seen_at) for row in rows]

    async def forget_device(self, device: Device) -> bool:
        """See :class:`~au_sys_identity.core.credentials.ports.CredentialStore`."""
        statement = delete(devices).where(devices.c.token_hash == device.token_hash)
        return (await self._session.execute(statement.returning(devices.c.token_hash))).first() is not None


class SqlGuesses:
    """The table ``guess_counters``; a counter is raised by one statement."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self, scope: str, key: bytes) -> Counter | None:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        row = (await self._session.execute(_COUNTER, {"the_scope": scope, "the_key": key})).first()
        return Counter(row.failures, row.window_start, row.blocked_until) if row else None

    async def raise_by_one(self, scope: str, key: bytes, *, now: datetime, window: timedelta) -> Counter:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        statement = _raising(inserting(self._session))
        row = (
            await self._session.execute(statement, {"scope": scope, "key_hash": key, "now": now, "over": now - window})
        ).one()
        return Counter(row.failures, row.window_start, row.blocked_until)

    async def lower_by_one(self, scope: str, key: bytes) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        await self._session.execute(_LOWER, {"the_scope": scope, "the_key": key})

    async def block(self, scope: str, key: bytes, until: datetime) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        await self._session.execute(_BLOCK, {"the_scope": scope, "the_key": key, "until": until})

    async def clear(self, scope: str, key: bytes) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        await self._session.execute(_CLEAR, {"the_scope": scope, "the_key": key})

    async def clear_beginning(self, scope: str, prefix: bytes) -> None:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        key = guess_counters.c.key_hash
        within = (guess_counters.c.scope == scope) & (key >= prefix) & (key <= prefix + b"\xff" * _LONGEST_KEY)
        await self._session.execute(delete(guess_counters).where(within))

    async def forget_before(self, moment: datetime) -> int:
        """See :class:`~au_sys_identity.core.credentials.ports.GuessStore`."""
        old = guess_counters.c.window_start < moment
        count = await self._session.scalar(select(func.count()).select_from(guess_counters).where(old))
        await self._session.execute(delete(guess_counters).where(old))
        return count or 0
