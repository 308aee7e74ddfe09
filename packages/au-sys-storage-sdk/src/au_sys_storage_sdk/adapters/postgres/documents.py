"""Documents in PostgreSQL: batches of waiting commits, reads from a pool, LISTEN for the change feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from au_sys_storage_sdk.adapters.postgres import writing
from au_sys_storage_sdk.adapters.postgres.connecting import Pens, connection_of, pool_of
from au_sys_storage_sdk.adapters.postgres.placing import CHANNEL, SCHEMA
from au_sys_storage_sdk.adapters.postgres.schema import RECORD, head_of, prepare, record_of, translated
from au_sys_storage_sdk.core.address import Space, bounds
from au_sys_storage_sdk.core.batching import Batcher
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.changes import Arrival
from au_sys_storage_sdk.core.documents.integrity import following, under
from au_sys_storage_sdk.core.documents.line import Answers, Line, Seen, Tip, Turn
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, weight
from au_sys_storage_sdk.core.documents.planning import Address
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import FeedCompacted, Unavailable
from au_sys_storage_sdk.core.paging import Page

_WINDOW = 2000
_ABREAST = 2
"""Batches that are with the server at a time: one waits for its disk while the next is placed."""

_GLANCE = 2.0
"""Seconds after which a waiting follower looks by itself, should a notification have been lost."""

_PATIENCE = 10
"""Seconds that a reader waits for a connection of the pool."""

_LIVE = "(expires IS NULL OR expires > $3)"
_EMPTY = RECORD.replace("value,", "''::bytea,")


class PostgresDocuments:
    """A DocumentStore in a database; several nodes may use it at once. Made by :meth:`open`."""

    name = "postgres"
    features = frozenset({Feature.CAS, Feature.SCAN, Feature.TTL, Feature.TXN, Feature.WATCH, Feature.DURABLE})

    def __init__(self, url: str, pool: asyncpg.Pool, clock: Clock) -> None:
        self._url = url
        self._pool = pool
        self._pens = Pens(url, _ABREAST)
        self._clock = clock
        self._batcher: Batcher[Sequence[Operation], Sequence[Outcome]] = Batcher(self._apply, at_once=2)
        self._line = Line(clock, self._see, self._write, self._alone, abreast=_ABREAST)
        self._arrival = Arrival()
        self._listening: asyncpg.Connection | None = None
        self._standing = Standing()
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, clock: Clock = system_clock, connections: int = 8) -> PostgresDocuments:
        """Connect and make the tables.

        Raises:
            Unavailable: the server does not answer.
            Corrupt: the tables are of another format.
        """
        with translated():
            pool = await pool_of(url, connections)
            store = cls(url, pool, clock)
            try:
                async with pool.acquire() as connection:
                    await prepare(connection)
                    store._standing = await writing.standing(connection)
                await store._listen()
            except BaseException:
                await pool.close()
                raise
        return store

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        if self._closed:
            raise Unavailable("the store is closed")
        with translated():
            async with self._pool.acquire(timeout=_PATIENCE) as connection:
                yield connection

    async def _listen(self) -> None:
        self._listening = await connection_of(self._url)
        await self._listening.add_listener(CHANNEL, self._heard)
        self._arrival.advance(await self._sequence(self._listening))

    async def _deafen(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            if not listening.is_closed():
                await listening.remove_listener(CHANNEL, self._heard)
            await listening.close()

    def _heard(self, connection: object, process: int, channel: str, payload: object) -> None:
        if isinstance(payload, str) and payload.isdigit():
            self._arrival.advance(int(payload))

    @staticmethod
    async def _sequence(connection: asyncpg.Connection) -> int:
        return int(await connection.fetchval(f"SELECT sequence FROM {SCHEMA}.meta"))  # noqa: S608 - a constant

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._find(RECORD, space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._find(_EMPTY, space, key)

    async def _find(self, columns: str, space: Space, key: str) -> Stored | None:
        statement = f"SELECT {columns} FROM {SCHEMA}.docs WHERE tenant = $1 AND ns = $2 AND {_LIVE} AND key = $4"  # noqa: S608 - constants
        async with self._connection() as connection:
            row = await connection.fetchrow(statement, space.tenant, space.namespace, self._clock(), key)
        if row is None:
            return None
        return under(key, record_of(space, row) if columns == RECORD else head_of(space, row))

    async def get_many(self, space: Space, keys: Sequence[str]) -> Sequence[Stored]:
        """Documents of a namespace that live, in one way to the server."""
        statement = f"SELECT {RECORD} FROM {SCHEMA}.docs WHERE tenant = $1 AND ns = $2 AND {_LIVE} AND key = ANY($4)"  # noqa: S608 - constants
        async with self._connection() as connection:
            rows = await connection.fetch(statement, space.tenant, space.namespace, self._clock(), list(keys))
        return [record_of(space, row) for row in rows]

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        return await self._batcher.submit(operations, sum(map(weight, operations)))

    async def _apply(self, commits: list[Sequence[Operation]]) -> list[Sequence[Outcome] | Exception]:
        answers, sequence = await self._line.run(commits)
        self._batcher.at_once = self._line.worth
        self._arrival.advance(sequence)
        return answers

    async def _see(self, addresses: Sequence[Address]) -> tuple[Tip, Seen]:
        async with self._connection() as connection:
            return await writing.look(connection, addresses, self._standing)

    async def _write(self, turn: Turn) -> bool:
        self._standing.admit(self.name, self._standing)
        if self._closed:
            raise Unavailable("the store is closed")
        with self._pens.one() as pen:
            with translated():
                connection = await pen.get()
            with translated(writes=True):
                return await writing.write(connection, turn, self._standing)

    async def _alone(self, commits: list[Sequence[Operation]]) -> tuple[Answers, int]:
        async with self._connection() as connection:
            with translated(writes=True):
                return await writing.apply(connection, commits, self._clock(), self._standing)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        columns = _EMPTY if keys_only else RECORD
        where, arguments = self._range(space, prefix, after)
        statement = f"SELECT {columns} {where} ORDER BY key LIMIT {limit + 1}"
        items: list[Stored] = []
        size = 0
        async with self._connection() as connection, connection.transaction(readonly=True):
            async for row in connection.cursor(statement, *arguments, prefetch=limit + 1 if limit < 100 else 100):
                found = head_of(space, row) if keys_only else record_of(space, row)
                size += len(found.value)
                if len(items) == limit or (items and size > max_bytes):
                    return Page(tuple(items), items[-1].key)
                items.append(following(items, found))
        return Page(tuple(items))

    def _range(self, space: Space, prefix: str, after: str) -> tuple[str, tuple[str | int, ...]]:
        """One bound on each side, so that also a plan for any arguments starts and stops there."""
        begin, behind, end = bounds(prefix, after)
        where = f"FROM {SCHEMA}.docs WHERE tenant = $1 AND ns = $2 AND {_LIVE} AND key {'>' if behind else '>='} $4"
        if end is None:
            return where, (space.tenant, space.namespace, self._clock(), begin)
        return where + " AND key < $5", (space.tenant, space.namespace, self._clock(), begin, end)

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        where, arguments = self._range(space, prefix, "")
        async with self._connection() as connection:
            return int(await connection.fetchval(f"SELECT count(*) {where}", *arguments))

    async def sequence(self, space: Space | None = None) -> int:
        """See the port."""
        async with self._connection() as connection:
            if space is None:
                return await self._sequence(connection)
            statement = f"SELECT last FROM {SCHEMA}.spaces WHERE tenant = $1 AND ns = $2"  # noqa: S608 - a constant
            return int(await connection.fetchval(statement, space.tenant, space.namespace) or 0)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        statement = f"SELECT * FROM {SCHEMA}.changes WHERE seq > $1 ORDER BY seq LIMIT $2"  # noqa: S608 - a constant
        async with self._connection() as connection:
            compacted, sequence = await connection.fetchrow(f"SELECT compacted, sequence FROM {SCHEMA}.meta")  # noqa: S608 - constants
            if since < compacted:
                raise FeedCompacted(since, sequence)
            rows = await connection.fetch(statement, since, _WINDOW)
        found = [
            Change(seq, Space(tenant, ns), key, event, at, data)
            for seq, tenant, ns, key, event, at, data in rows
            if space is None or (tenant, ns) == (space.tenant, space.namespace)
        ]
        if len(found) > limit:
            return found[:limit], found[limit - 1].seq
        return found, rows[-1][0] if rows else since

    async def wait(self, since: int) -> None:
        """See the port. Notifications wake at once; a look every two seconds covers a lost one."""
        while self._arrival.sequence <= since and not self._closed:
            try:
                async with asyncio.timeout(_GLANCE):
                    await self._arrival.wait(since)
            except TimeoutError:
                await self._look()

    async def _look(self) -> None:
        """See what a lost notification or connection may have hidden, and listen again."""
        with translated():
            if self._listening is None or self._listening.is_closed():
                await self._deafen()
                await self._listen()
        self._arrival.advance(await self.sequence())

    async def compact(self, keep: int) -> int:
        """See the port."""
        async with self._connection() as connection:
            return await writing.compact(connection, max(keep, 0))

    async def sweep(self) -> int:
        """See the port."""
        removed = 0
        while True:
            async with self._line.nobody_beside(), self._connection() as connection:
                swept, sequence = await writing.sweep(connection, self._clock(), self._standing)
            self._arrival.advance(sequence)
            removed += swept
            if not swept:
                return removed

    async def replicate(self, replica: Replica) -> None:
        """See the port."""
        async with self._line.nobody_beside(), self._connection() as connection:
            self._arrival.advance(await writing.replicate(connection, replica))

    async def standing(self) -> Standing:
        """See the port."""
        async with self._connection() as connection:
            return await writing.standing(connection)

    async def stand(self, standing: Standing) -> None:
        """See the port."""
        async with self._connection() as connection:
            await writing.stand(connection, standing)
        self._standing = standing

    async def erase(self) -> None:
        """See the port."""
        async with self._line.nobody_beside(), self._connection() as connection:
            await writing.erase(connection)
        self._arrival.sequence = 0

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port."""
        statement = (
            f"SELECT d.tenant, d.ns, count(*), sum(length(value))::bigint, max(s.last) FROM {SCHEMA}.docs d"  # noqa: S608 - constants
            f" JOIN {SCHEMA}.spaces s ON s.tenant = d.tenant AND s.ns = d.ns GROUP BY d.tenant, d.ns ORDER BY 1, 2"
        )
        async with self._connection() as connection:
            return [SpaceUsage(*row) for row in await connection.fetch(statement)]

    async def ping(self) -> None:
        """See the port."""
        async with self._connection() as connection:
            await connection.fetchval("SELECT 1")

    async def close(self) -> None:
        """Finish what waits and let the connections go."""
        await self._batcher.close()
        self._closed = True
        self._arrival.close()
        await self._deafen()
        await self._pens.close()
        await self._pool.close()
