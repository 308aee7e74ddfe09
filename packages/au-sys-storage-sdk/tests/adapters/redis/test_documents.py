"""Documents in a real Redis server: conformance, several nodes, a server that goes away, durability that is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from redis import Redis

from au_sys_storage_sdk import ABSENT, Conflict, Storage, Unavailable, open_storage
from au_sys_storage_sdk.adapters.redis.documents import RedisDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking, first
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import Corrupt

pytestmark = pytest.mark.needs_redis

Start = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, start_redis: Start) -> Iterator[str]:
    """A server for this module."""
    with start_redis(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
def empty(url: str) -> Iterator[str]:
    """The same server, emptied after the test."""
    yield url
    with Redis.from_url(url) as client:
        client.flushdb()


class TestRedisDocuments(DocumentStoreConformance):
    """The conformance suite on a real server."""

    @pytest.fixture
    async def storage(self, clock: Ticking, empty: str) -> AsyncIterator[Storage]:
        """An empty store."""
        async with Storage(await RedisDocuments.open(empty, clock=clock)) as opened:
            yield opened


async def test_several_nodes_share_one_sequence_and_feed(empty: str) -> None:
    """Racing creators on two nodes: one wins; a watcher on one node sees what the other writes, in order, at once."""
    async with open_storage(empty) as one, open_storage(empty) as two:
        spaces = [one.namespace("things"), two.namespace("things")]
        puts = [spaces[n % 2].put("k", n, if_match=ABSENT) for n in range(20)]
        results = await asyncio.gather(*puts, return_exceptions=True)
        assert sum(isinstance(result, Conflict) for result in results) == 19
        since = await one.sequence()
        watching = asyncio.create_task(first(spaces[0].watch(since), 200))
        versions = await asyncio.gather(*(spaces[n % 2].put(str(n), n) for n in range(200)))
        seen = [seq for seq, _, _ in await asyncio.wait_for(watching, 10)]
        assert sorted(versions) == seen == list(range(since + 1, since + 201))


async def test_a_changed_record_is_never_a_value(empty: str) -> None:
    """Bent and foreign content under our names is Corrupt."""
    async with open_storage(empty) as storage:
        space = storage.namespace("things")
        await space.put("k", "text")
        with Redis.from_url(empty) as client:
            (name,) = client.keys("*doc:*")
            packed = client.get(name)
            assert isinstance(packed, bytes)
            for bent in (packed.replace(b"text", b"next"), b"nonsense", b""):
                client.set(name, bent)
                with pytest.raises(Corrupt):
                    await space.get("k")


async def test_a_lost_connection_and_a_forgotten_script_heal(empty: str) -> None:
    """The server cuts every connection, and then forgets its scripts: the next writes work again."""
    async with open_storage(empty) as storage:
        space = storage.namespace("things")
        await space.put("k", 0)
        with Redis.from_url(empty) as admin:
            admin.client_kill_filter(_type="normal", skipme=True)
            for number in range(10):
                try:
                    await space.put("k", number + 1)
                    break
                except Unavailable:
                    continue
            admin.script_flush()
        before = await storage.sequence()
        assert await space.put("k", "again") == before + 1


async def test_durability_is_told_as_it_is(empty: str) -> None:
    """DURABLE is declared while the server syncs every write, and not otherwise."""
    async with open_storage(empty) as storage:
        assert Feature.DURABLE in storage.features
    with Redis.from_url(empty) as client:
        client.config_set("appendfsync", "everysec")
        async with open_storage(empty) as storage:
            assert Feature.DURABLE not in storage.features
        client.config_set("appendfsync", "always")


async def test_a_server_that_is_full_or_read_only_is_a_clear_error(empty: str) -> None:
    """Writes are refused with a reason, reads go on, and it heals."""
    async with open_storage(empty) as storage:
        space = storage.namespace("things")
        await space.put("k", 1)
        with Redis.from_url(empty) as client:
            client.config_set("maxmemory", "1mb")
            with pytest.raises(Unavailable):
                await space.put("large", "x" * 500_000)
            assert await space.get("k") is not None
            client.config_set("maxmemory", "0")
        await space.put("k", 2)


async def test_no_server_is_a_clear_error(tmp_path: Path) -> None:
    """Nobody listens: Unavailable, without the password."""
    with pytest.raises(Unavailable) as raised:
        await open_storage("redis://user:secret@127.0.0.1:1/0").__aenter__()
    assert "secret" not in str(raised.value)


async def test_everything_survives_a_killed_server(tmp_path: Path, start_redis: Start) -> None:
    """What was acknowledged is there after the server was killed and started again."""
    with start_redis(tmp_path) as url:
        async with open_storage(url) as storage:
            version = await storage.namespace("things").put("k", 1)
    with start_redis(tmp_path) as url:
        async with open_storage(url) as storage:
            found = await storage.namespace("things").get("k")
            assert found is not None
            assert version == found.version
