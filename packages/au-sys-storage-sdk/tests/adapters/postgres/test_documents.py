"""Documents in a real PostgreSQL server: conformance, several nodes, a server that goes away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from au_sys_storage_sdk import ABSENT, Conflict, Storage, Unavailable, open_storage
from au_sys_storage_sdk.adapters.postgres import writing
from au_sys_storage_sdk.adapters.postgres.documents import PostgresDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking, first
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.line import Tip, Turn, new_mark
from au_sys_storage_sdk.core.documents.operations import Put
from au_sys_storage_sdk.core.documents.planning import Batch
from au_sys_storage_sdk.core.documents.standing import Standing
from au_sys_storage_sdk.core.errors import Corrupt
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.needs_postgres

EMPTY = "TRUNCATE au_sys_storage.docs, au_sys_storage.changes, au_sys_storage.spaces;" \
    " UPDATE au_sys_storage.meta SET sequence = 0, compacted = 0"  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server for this module."""
    with postgres_server() as started:
        yield started


@pytest.fixture(scope="module")
def url(server: PostgresServer) -> str:
    """A database of our own."""
    return server.database("storage")


@pytest.fixture
async def empty(url: str) -> AsyncIterator[str]:
    """The same database, emptied after the test."""
    yield url
    connection = await asyncpg.connect(url)
    await connection.execute(EMPTY)
    await connection.close()


class TestPostgresDocuments(DocumentStoreConformance):
    """The conformance suite on a real server."""

    @pytest.fixture
    async def storage(self, clock: Ticking, empty: str) -> AsyncIterator[Storage]:
        """An empty store."""
        async with Storage(await PostgresDocuments.open(empty, clock=clock)) as opened:
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


async def test_a_lost_connection_is_unavailable_and_heals(empty: str) -> None:
    """The server cuts every connection: nothing hangs, and the next calls work again."""
    async with open_storage(empty) as storage:
        space = storage.namespace("things")
        await space.put("k", 1)
        admin = await asyncpg.connect(empty)
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        await admin.close()
        for _ in range(10):
            try:
                await space.put("k", 2)
                break
            except Unavailable:
                continue
        found = await space.get("k")
        assert found is not None
        assert found.value == 2
        watching = asyncio.create_task(first(space.watch(found.version), 1))
        await space.put("k", 3)
        assert [(found.version + 1, "put", "k")] == await asyncio.wait_for(watching, 10)


def batch_of(key: str, upon: Tip, *ahead: int) -> Turn:
    """A batch with one document, behind others that may be on their way."""
    batch = Batch(upon.sequence, 1000, {})
    batch.decide_all([[Put(Space("default", "things"), key, b"1", None)]])
    return Turn(batch, upon, new_mark(), ahead)


@asynccontextmanager
async def two_writers(url: str) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection, Tip]]:
    """Two connections to tables that are there, and their tip."""
    await (await PostgresDocuments.open(url)).close()
    one, two = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        yield one, two, Tip(*await one.fetchrow("SELECT sequence, mark FROM au_sys_storage.meta"))
    finally:
        await one.close()
        await two.close()


async def test_a_batch_waits_for_the_one_ahead(empty: str) -> None:
    """It is placed while that one is being written, and not written when the one ahead never comes."""
    async with two_writers(empty) as (one, two, tip):
        ahead = batch_of("first", tip)
        behind = batch_of("second", ahead.tip, tip.mark)
        async with two.transaction():
            assert await writing.write(two, ahead, Standing())
            waiting = asyncio.create_task(writing.write(one, behind, Standing()))
            while not await two.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
                await asyncio.sleep(0.01)
        assert await waiting
        never = batch_of("never", behind.tip)
        assert not await writing.write(one, batch_of("third", never.tip, behind.mark), Standing())
        statement = "SELECT key, version, seq FROM au_sys_storage.docs JOIN au_sys_storage.changes USING (key)"
        assert sorted(map(tuple, await one.fetch(statement))) == [("first", 1, 1), ("second", 2, 2)]


async def test_a_document_that_somebody_else_writes_is_waited_for_a_moment_only(empty: str) -> None:
    """Two nodes that each have what the other wants need no help from the server."""
    async with two_writers(empty) as (one, two, tip):
        turn = batch_of("k", tip)
        transaction = two.transaction()
        await transaction.start()
        assert await writing.write(two, batch_of("k", tip), Standing())
        assert not await writing.write(one, turn, Standing())
        await transaction.rollback()
        assert await writing.write(one, turn, Standing())


async def test_a_changed_row_is_never_a_value(empty: str) -> None:
    """Somebody edits the table by hand."""
    async with open_storage(empty) as storage:
        await storage.namespace("things").put("k", 1)
        admin = await asyncpg.connect(empty)
        await admin.execute("UPDATE au_sys_storage.docs SET value = '2'::bytea")
        await admin.close()
        with pytest.raises(Corrupt):
            await storage.namespace("things").get("k")


async def test_a_table_of_full_pages_gets_room(empty: str) -> None:
    """One that was made before pages were left room is changed when it is opened."""
    admin = await asyncpg.connect(empty)
    await (await PostgresDocuments.open(empty)).close()
    await admin.execute("ALTER TABLE au_sys_storage.docs RESET (fillfactor)")
    await (await PostgresDocuments.open(empty)).close()
    found = await admin.fetchval("SELECT reloptions FROM pg_class WHERE oid = 'au_sys_storage.docs'::regclass")
    await admin.close()
    assert found == ["fillfactor=60"]


async def test_no_server_is_a_clear_error() -> None:
    """Nobody listens: Unavailable, without the password."""
    with pytest.raises(Unavailable) as raised:
        await open_storage("postgresql://user:secret@127.0.0.1:1/none").__aenter__()
    assert "secret" not in str(raised.value)
