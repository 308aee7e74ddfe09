"""Follow runs live: so many streams for each, over all web processes together."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from skriptoteket.core.errors import DatabaseBusy, TooManyStreams
from skriptoteket.core.ports import Ids, UnitOfWork
from skriptoteket.core.runs.ports.streams import StreamUnit

MOST_STREAMS = 4
STREAM_LEASE = timedelta(seconds=60)
"""How long the stream of a process that died still counts."""


class Reading:
    """Lives as long as the app."""

    def __init__(self, work: UnitOfWork[StreamUnit], ids: Ids, most: int = MOST_STREAMS) -> None:
        self._work = work
        self._ids = ids
        self._most = most

    async def begin(self, subject: str) -> UUID:
        """A stream of the subject, to be renewed while it is read.

        Raises:
            TooManyStreams: they read as many as one may, from whichever process.
            DatabaseBusy.
        """
        stream = self._ids.new()
        async with self._work.write() as unit:
            if not await unit.streams.take(stream, subject, self._most, STREAM_LEASE):
                raise TooManyStreams(self._most)
        return stream

    async def go_on(self, streams: Collection[UUID]) -> None:
        """They are still read."""
        async with self._work.write() as unit:
            await unit.streams.renew(streams, STREAM_LEASE)

    async def end(self, stream: UUID) -> None:
        """Make room. A busy database does not matter: nobody renews the stream any more."""
        try:
            async with self._work.write() as unit:
                await unit.streams.leave(stream)
        except DatabaseBusy:
            return
