"""StreamStore on SQL: one row for each place that is taken."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.lease_clock import read_clock
from skriptoteket.adapters.db.tables import stream_leases


class SqlStreamStore:
    """Open streams. The key is subject and place, so two processes cannot both take the last one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, stream: UUID, subject: str, most: int, lease: timedelta) -> bool:
        """One of the subject's places, if one is free."""
        of = stream_leases.c
        epoch, seconds = await read_clock(self._session)
        await self._session.execute(delete(stream_leases).where(or_(of.epoch != epoch, of.until < seconds)))
        taken = set((await self._session.execute(select(of.place).where(of.subject == subject))).scalars())
        for place in sorted(set(range(most)) - taken):
            row = {"subject": subject, "place": place, "stream": stream, "epoch": epoch}
            try:
                async with self._session.begin_nested():
                    values = {**row, "until": seconds + lease.total_seconds()}
                    await self._session.execute(insert(stream_leases).values(values))
            except IntegrityError:  # another process took it in this moment
                continue
            return True
        return False

    async def renew(self, streams: Collection[UUID], lease: timedelta) -> None:
        """Prolong what is still there."""
        epoch, seconds = await read_clock(self._session)
        values = {"epoch": epoch, "until": seconds + lease.total_seconds()}
        mine = stream_leases.c.stream.in_(list(streams))
        await self._session.execute(update(stream_leases).where(mine).values(values))

    async def count(self) -> int:
        """How many are open, of everybody."""
        of = stream_leases.c
        epoch, seconds = await read_clock(self._session)
        open_now = select(func.count()).select_from(stream_leases).where(of.epoch == epoch, of.until >= seconds)
        return (await self._session.execute(open_now)).scalar_one()

    async def leave(self, stream: UUID) -> None:
        """Idempotent."""
        await self._session.execute(delete(stream_leases).where(stream_leases.c.stream == stream))
