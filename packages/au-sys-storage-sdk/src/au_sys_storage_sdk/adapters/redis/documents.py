"""Documents in Redis: batches of waiting commits through a script, an ordered index per namespace, a stream as feed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis

from au_sys_storage_sdk.adapters.redis import layout, writing
from au_sys_storage_sdk.core.address import Space, after_prefix
from au_sys_storage_sdk.core.batching import Batcher
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.changes import Arrival
from au_sys_storage_sdk.core.documents.line import Answers, Line, Seen, Tip, Turn
from au_sys_storage_sdk.core.documents.models import Change, Feature, Replica, SpaceUsage, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, weight
from au_sys_storage_sdk.core.documents.planning import Address
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import Corrupt, FeedCompacted, Unavailable
from au_sys_storage_sdk.core.paging import Page

_WINDOW = 200
"""Batches of the feed that are read at once."""

_CHUNK = 200
_CONNECTIONS = 32
_PATIENCE = {"timeout": 20, "socket_timeout": 30, "socket_connect_timeout": 10}
"""Seconds: for a connection of the pool, for an answer, for the server's first word."""

_GLANCE = 2.0
"""Seconds after which a waiting follower looks by itself, should a message have been lost."""

_FORMAT = b"4"
_FEATURES = frozenset({Feature.CAS, Feature.SCAN, Feature.TTL, Feature.TXN, Feature.WATCH})


class RedisDocuments:
    """A DocumentStore in a Redis database; several nodes may use it at once. Made by :meth:`open`.

    It declares DURABLE only when the server answers a write after it is on the disk (``appendonly yes``,
    ``appendfsync always``).
    """

    name = "redis"

    def __init__(self, client: layout.Client, clock: Clock, features: frozenset[Feature]) -> None:
        self._client = client
        self._clock = clock
        self.features = features
        self._scripts = writing.Scripts.of(client)
        self._batcher: Batcher[Sequence[Operation], Sequence[Outcome]] = Batcher(self._apply, at_once=2)
        self._line = Line(clock, self._see, self._write, self._alone)
        self._arrival = Arrival()
        self._standing = b""
        self._listener: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, clock: Clock = system_clock) -> RedisDocuments:
        """Connect.

        Raises:
            Unavailable: the server does not answer.
            Corrupt: the database holds documents of another format.
        """
        pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, **_PATIENCE)
        client: layout.Client = Redis.from_pool(pool)
        try:
            with layout.translated():
                await client.set(layout.FORMAT, _FORMAT, nx=True)
                found = await client.get(layout.FORMAT)
                standing = await client.get(layout.STANDING)
                features = _FEATURES | {Feature.DURABLE} if await _durable(client) else _FEATURES
            if found != _FORMAT:
                raise Corrupt("the Redis database", f"its format is {found!r}, this version reads {_FORMAT!r}")
        except BaseException:
            await client.aclose()
            raise
        store = cls(client, clock, features)
        store._standing = standing or b""
        return store

    def _open_client(self) -> layout.Client:
        if self._closed:
            raise Unavailable("the store is closed")
        return self._client

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        with layout.translated():
            text = await self._open_client().get(layout.document(space, key))
        found = layout.record_of(space, key, text)
        return found if found is not None and self._lives(found) else None

    def _lives(self, found: Stored) -> bool:
        return found.expires is None or found.expires > self._clock()

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        found = await self._heads(space, [key])
        return found[0] if found else None

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        return await self._batcher.submit(operations, sum(map(weight, operations)))

    async def _apply(self, commits: list[Sequence[Operation]]) -> list[Sequence[Outcome] | Exception]:
        with layout.translated():
            answers, sequence = await self._line.run(commits)
        self._batcher.at_once = self._line.worth
        self._arrival.advance(sequence)
        return answers

    async def _see(self, addresses: Sequence[Address]) -> tuple[Tip, Seen]:
        self._open_client()
        return await self._scripts.seen(addresses)

    async def _write(self, turn: Turn) -> bool:
        return await writing.write(self._open_client(), self._scripts, turn, self._writer())

    async def _alone(self, commits: list[Sequence[Operation]]) -> tuple[Answers, int]:
        return await writing.apply(self._open_client(), self._scripts, commits, self._clock, self._writer())

    def _writer(self) -> bytes:
        """The standing that we write under. Raises ``Fenced`` at once when it allows no writes."""
        own = Standing.of(self._standing.decode())
        own.admit(self.name, own)
        return self._standing

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        items: list[Stored] = []
        size = 0
        while True:
            keys = await self._keys(space, prefix, after, min(limit + 1, _CHUNK))
            for found in await (self._heads if keys_only else self._found)(space, keys):
                size += len(found.value)
                if len(items) == limit or (items and size > max_bytes):
                    return Page(tuple(items), items[-1].key)
                items.append(found)
            if not keys:
                return Page(tuple(items))
            after = keys[-1]

    async def _keys(self, space: Space, prefix: str, after: str, limit: int) -> list[str]:
        first = b"(" + after.encode() if after >= prefix and after else b"[" + prefix.encode()
        with layout.translated():
            found = await self._open_client().zrange(
                layout.index(space),
                first,
                _end(prefix),
                bylex=True,
                offset=0,
                num=limit,
            )
        return [member.decode() for member in found]

    async def get_many(self, space: Space, keys: Sequence[str]) -> Sequence[Stored]:
        """Documents of a namespace that live, in one way to the server."""
        return await self._found(space, list(keys))

    async def _found(self, space: Space, keys: list[str]) -> list[Stored]:
        if not keys:
            return []
        with layout.translated():
            texts = await self._open_client().mget([layout.document(space, key) for key in keys])
        records = [layout.record_of(space, key, text) for key, text in zip(keys, texts, strict=True)]
        return [found for found in records if found is not None and self._lives(found)]

    async def _heads(self, space: Space, keys: list[str]) -> list[Stored]:
        if not keys:
            return []
        self._open_client()
        with layout.translated():
            _, seen = await self._scripts.seen([(space, key) for key in keys])
        return [replace(found, value=b"") for found in seen.values() if self._lives(found)]

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        client, now = self._open_client(), self._clock()
        with layout.translated():
            known = await client.zlexcount(layout.index(space), b"[" + prefix.encode(), _end(prefix))
            due = await client.zrange(layout.EXPIRES, b"-inf", b"%d" % now, byscore=True)
        start = layout.address(space, prefix)
        return int(known) - len([text for text in due if text.startswith(start)])

    async def sequence(self, space: Space | None = None) -> int:
        """See the port."""
        client = self._open_client()
        with layout.translated():
            if space is None:
                return int(await client.get(layout.SEQUENCE) or 0)
            return int(await client.hget(layout.SPACES, f"{space.tenant}\0{space.namespace}") or 0)

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        client = self._open_client()
        with layout.translated():
            compacted, sequence = await client.mget([layout.COMPACTED, layout.SEQUENCE])
            if since < int(compacted or 0):
                raise FeedCompacted(since, int(sequence or 0))
            entries = await client.xrange(layout.CHANGES, f"{since + 1}-0", "+", count=_WINDOW)
        listed = [change for _, fields in entries for change in layout.changes_of(fields[b"c"])]
        window = [change for change in listed if change.seq > since]
        found = [change for change in window if space is None or change.space == space]
        if len(found) > limit:
            return found[:limit], found[limit - 1].seq
        return found, window[-1].seq if window else since

    async def wait(self, since: int) -> None:
        """See the port. Messages wake at once; a look every two seconds covers a lost one."""
        while self._arrival.sequence <= since and not self._closed:
            if self._listener is None or self._listener.done():
                self._listener = asyncio.get_running_loop().create_task(self._listen())
            try:
                async with asyncio.timeout(_GLANCE):
                    await self._arrival.wait(since)
            except TimeoutError:
                self._arrival.advance(await self.sequence())

    async def _listen(self) -> None:
        try:
            async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(layout.CHANNEL)
                self._arrival.advance(await self.sequence())
                while not self._closed:
                    message = await subscription.get_message(timeout=_GLANCE)
                    if message is not None:
                        self._arrival.advance(int(message["data"]))
        except (exceptions.RedisError, OSError, Unavailable):
            return  # whoever waits looks by itself and starts this again

    async def compact(self, keep: int) -> int:
        """See the port."""
        client = self._open_client()
        with layout.translated():
            cut = int(await client.get(layout.SEQUENCE) or 0) - max(keep, 0)
            compacted = int(await client.get(layout.COMPACTED) or 0)
            if cut <= compacted:
                return 0
            await client.set(layout.COMPACTED, cut)
            await client.xtrim(layout.CHANGES, minid=f"{cut + 1}-0", approximate=False)
            return cut - compacted

    async def sweep(self) -> int:
        """See the port."""
        removed = 0
        while True:
            with layout.translated():
                async with self._line.nobody_beside():
                    now, writer = self._clock(), self._writer()
                    swept, sequence = await writing.sweep(self._open_client(), self._scripts, now, writer)
            self._arrival.advance(sequence)
            removed += swept
            if not swept:
                return removed

    async def replicate(self, replica: Replica) -> None:
        """See the port."""
        async with self._line.nobody_beside():
            with layout.translated():
                sequence = await writing.replicate(self._open_client(), self._scripts, replica)
        self._arrival.advance(sequence)

    async def standing(self) -> Standing:
        """See the port."""
        with layout.translated():
            return Standing.of((await self._open_client().get(layout.STANDING) or b"").decode())

    async def stand(self, standing: Standing) -> None:
        """See the port."""
        with layout.translated():
            await self._open_client().set(layout.STANDING, standing.text)
        self._standing = standing.text.encode()

    async def erase(self) -> None:
        """See the port."""
        async with self._line.nobody_beside():
            with layout.translated():
                await writing.erase(self._open_client())
        self._arrival.sequence = 0

    async def usage(self) -> Sequence[SpaceUsage]:
        """See the port. It reads every document: for operators, not for a request of each user."""
        with layout.translated():
            spaces = await self._open_client().hgetall(layout.SPACES)
        made = []
        for name, last in sorted(spaces.items()):
            tenant, namespace = name.decode().split("\0")
            count, size, after = 0, 0, ""
            while keys := await self._keys(Space(tenant, namespace), "", after, _CHUNK):
                found = await self._found(Space(tenant, namespace), keys)
                count, size, after = count + len(found), size + sum(len(item.value) for item in found), keys[-1]
            if count:
                made.append(SpaceUsage(tenant, namespace, count, size, int(last)))
        return made

    async def ping(self) -> None:
        """See the port."""
        with layout.translated():
            await self._open_client().ping()

    async def close(self) -> None:
        """Finish what waits and let the connections go."""
        await self._batcher.close()
        self._closed = True
        self._arrival.close()
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await self._scripts.apply.close()
        await self._client.aclose()


async def _durable(client: layout.Client) -> bool:
    try:
        found = await client.config_get("append*")
    except exceptions.ResponseError:
        return False  # a hosted server that does not tell
    return (found.get("appendonly"), found.get("appendfsync")) == ("yes", "always")


def _end(prefix: str) -> bytes:
    end = after_prefix(prefix)
    return b"+" if end is None else b"(" + end.encode()
