"""Outbox and OneTimeTokenStore on SQL."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from au_sys_identity.adapters.db.tables import one_time_tokens, outbox
from au_sys_identity.core.notices.models import OneTimeToken, OutboxItem, Purpose


class SqlOutbox:
    """The table ``outbox``; a sent letter's row is gone."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, item: OutboxItem) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""
        await self._session.execute(
            insert(outbox).values(
                id=item.id,
                kind=item.kind,
                payload_enc=item.sealed,
                attempts=item.attempts,
                next_at=item.next_at,
                created_at=item.created_at or item.next_at,
            )
        )

    async def due(self, now: datetime, limit: int) -> list[OutboxItem]:
        """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""
        wanted = select(outbox).where(outbox.c.next_at <= now, outbox.c.dead_at.is_(None))
        rows = await self._session.execute(wanted.order_by(outbox.c.id).limit(limit))
        return [
            OutboxItem(row.id, row.kind, row.payload_enc, row.next_at, row.attempts, row.created_at) for row in rows
        ]

    async def claim(self, item: OutboxItem, *, until: datetime) -> bool:
        """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""
        claimed = await self._session.execute(
            update(outbox)
            .where(outbox.c.id == item.id, outbox.c.attempts == item.attempts)
            .values(attempts=outbox.c.attempts + 1, next_at=until)
            .returning(outbox.c.id)
        )
        return claimed.first() is not None

    async def done(self, item_id: UUID) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""
        await self._session.execute(delete(outbox).where(outbox.c.id == item_id))

    async def give_up(self, item_id: UUID, *, at: datetime) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""
        await self._session.execute(update(outbox).where(outbox.c.id == item_id).values(dead_at=at))

    async def waiting(self) -> tuple[int, int]:
        """See :class:`~au_sys_identity.core.notices.ports.Outbox`."""
        row = (await self._session.execute(select(func.count(), func.count(outbox.c.dead_at)))).one()
        return row[0] - row[1], row[1]


class SqlOneTimeTokens:
    """The table ``one_time_tokens``; a used token's row is gone."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, token: OneTimeToken) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.OneTimeTokenStore`."""
        await self._session.execute(
            delete(one_time_tokens).where(
                one_time_tokens.c.subject_id == token.subject_id, one_time_tokens.c.purpose == token.purpose
            )
        )
        await self._session.execute(
            insert(one_time_tokens).values(
                id=token.id,
                purpose=token.purpose,
                token_hash=token.token_hash,
                subject_id=token.subject_id,
                address=token.address,
                expires_at=token.expires_at,
                flow_hash=token.flow_hash,
                asked_from=token.asked_from,
            )
        )

    async def find(self, purpose: Purpose, token_hash: bytes, *, now: datetime) -> OneTimeToken | None:
        """See :class:`~au_sys_identity.core.notices.ports.OneTimeTokenStore`."""
        wanted = select(one_time_tokens).where(
            one_time_tokens.c.token_hash == token_hash,
            one_time_tokens.c.purpose == purpose,
            one_time_tokens.c.expires_at > now,
        )
        row = (await self._session.execute(wanted)).first()
        if row is None:
            return None
        return OneTimeToken(
            row.id,
            row.purpose,
            row.token_hash,
            row.subject_id,
            row.address,
            row.expires_at,
            row.flow_hash,
            row.asked_from,
        )

    async def use(self, token: OneTimeToken) -> bool:
        """See :class:`~au_sys_identity.core.notices.ports.OneTimeTokenStore`."""
        statement = delete(one_time_tokens).where(one_time_tokens.c.id == token.id)
        return (await self._session.execute(statement.returning(one_time_tokens.c.id))).first() is not None

    async def forget_expired(self, now: datetime) -> None:
        """See :class:`~au_sys_identity.core.notices.ports.OneTimeTokenStore`."""
        await self._session.execute(delete(one_time_tokens).where(one_time_tokens.c.expires_at <= now))
