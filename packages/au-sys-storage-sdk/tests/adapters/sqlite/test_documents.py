"""Documents in SQLite: conformance, durability, one writer, damage, a full disk."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from au_sys_storage_sdk import Storage, Unavailable, open_storage
from au_sys_storage_sdk.adapters.sqlite.documents import SqliteDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.core.errors import Corrupt, InUse, ReadOnly

WRITER = """
import asyncio, sys
from au_sys_storage_sdk import open_storage

async def main(url):
    async with open_storage(url) as storage:
        space = storage.namespace("things")
        async def write(mark):
            for number in range(100000):
                version = await space.put(f"{mark}/{number}", {"mark": mark, "number": number})
                print(mark, number, version, flush=True)
        await asyncio.gather(*(write(mark) for mark in "abcdefgh"))

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the file lies."""
    return f"sqlite://{tmp_path}/documents.db"


class TestSqliteDocuments(DocumentStoreConformance):
    """The conformance suite on a real file."""

    @pytest.fixture
    async def storage(self, clock: Ticking, tmp_path: Path) -> AsyncIterator[Storage]:
        """An empty store."""
        async with Storage(await SqliteDocuments.open(tmp_path / "documents.db", clock=clock)) as opened:
            yield opened


async def test_what_was_acknowledged_survives_kill_9(url: str) -> None:
    """A killed process loses no acknowledged write, and the file opens at once with the sequence going on."""
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        lines = [writer.stdout.readline() for _ in range(500)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
    acknowledged = [line.split() for line in lines if line.endswith("\n")]
    async with open_storage(url) as storage:
        space = storage.namespace("things")
        for mark, number, version in acknowledged:
            found = await space.get(f"{mark}/{number}")
            assert found is not None
            assert ({"mark": mark, "number": int(number)}, int(version)) == (found.value, found.version)
        last = max(int(version) for _, _, version in acknowledged)
        assert await space.put("next", 1) > last


async def test_everything_survives_a_restart(url: str) -> None:
    """Values, versions, the feed, the cut of the feed and the namespace's sequence."""
    async with open_storage(url) as storage:
        space = storage.namespace("things")
        versions = [await space.put(str(number), number) for number in range(5)]
        await storage.compact(keep=2)
    async with open_storage(url) as storage:
        space = storage.namespace("things")
        assert versions == [item.version for item in (await space.scan()).items]
        assert versions[-1] == await space.sequence() == await storage.sequence()
        changes, seen = await storage.store.changes(versions[2], 10)
        assert (versions[3:], versions[-1]) == ([change.seq for change in changes], seen)


async def test_a_second_writer_is_refused_by_name(url: str) -> None:
    """The error names the process that holds the file; a reader is let in and may not write."""
    async with open_storage(url) as storage:
        await storage.namespace("things").put("k", 1)
        with pytest.raises(InUse, match=f"process {os.getpid()} on "):
            await open_storage(url).__aenter__()
        async with open_storage(url + "?mode=ro") as reading:
            found = await reading.namespace("things").get("k")
            assert found is not None
            with pytest.raises(ReadOnly):
                await reading.namespace("things").put("k", 2)
    async with open_storage(url) as storage:
        await storage.namespace("things").put("k", 2)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE docs SET value = CAST('{\"n\":8}' AS BLOB) WHERE key = 'a'",
        "UPDATE docs SET version = version + 1 WHERE key = 'a'",
        "UPDATE docs SET expires = 9999999999999 WHERE key = 'a'",
        "UPDATE docs SET value = (SELECT value FROM docs WHERE key = 'b'), crc = (SELECT crc FROM docs WHERE key = 'b')"
        " WHERE key = 'a'",
        "UPDATE docs SET key = CASE key WHEN 'a' THEN 'c' ELSE 'a' END",
    ],
)
async def test_a_changed_row_is_never_a_value(url: str, tmp_path: Path, damage: str) -> None:
    """Flipped value, version, end of life, swapped records and swapped keys are Corrupt on get and scan."""
    async with open_storage(url) as storage:
        await storage.namespace("things").put("a", {"n": 7})
        await storage.namespace("things").put("b", {"n": 9})
    connection = apsw.Connection(str(tmp_path / "documents.db"))
    connection.execute(damage)
    connection.close()
    async with open_storage(url) as storage:
        with pytest.raises(Corrupt):
            await storage.namespace("things").get("a")
        with pytest.raises(Corrupt):
            await storage.namespace("things").scan()


@pytest.mark.parametrize("content", [b"not a database" * 100, b""], ids=["garbage", "truncated"])
async def test_a_damaged_file_is_named(url: str, tmp_path: Path, content: bytes) -> None:
    """Garbage is Corrupt and named; an empty file is a new one."""
    (tmp_path / "documents.db").write_bytes(content)
    if content:
        with pytest.raises(Corrupt, match=r"documents\.db"):
            await open_storage(url).__aenter__()
    else:
        async with open_storage(url) as storage:
            await storage.namespace("things").put("k", 1)


async def test_a_file_of_another_program_is_left_alone(url: str, tmp_path: Path) -> None:
    """A database with other tables is refused and stays as it was."""
    connection = apsw.Connection(str(tmp_path / "documents.db"))
    connection.execute("CREATE TABLE accounts(name)")
    connection.close()
    with pytest.raises(Corrupt, match="format"):
        await open_storage(url).__aenter__()


async def test_a_full_disk_is_a_clear_error_and_passes(tmp_path: Path) -> None:
    """Writes fail as Unavailable, nothing of them is kept, reads go on, and with room again writing does too."""
    store = await SqliteDocuments.open(tmp_path / "documents.db")
    async with Storage(store) as storage:
        space = storage.namespace("things")
        before = await space.put("k", 1)
        writer = store._writing_side()
        writer._connection.execute("PRAGMA max_page_count = 12")
        with pytest.raises(Unavailable, match="full"):
            await space.put("large", "x" * 500_000)
        found = await space.get("k")
        assert found is not None
        assert (before, None) == (found.version, await space.get("large"))
        writer._connection.execute("PRAGMA max_page_count = 1000000")
        assert await space.put("large", "x" * 500_000) == before + 1


async def test_too_many_waiting_writers_are_sent_away(tmp_path: Path) -> None:
    """Beyond the bound a write is refused at once with a time to come back; the others commit."""
    store = await SqliteDocuments.open(tmp_path / "documents.db")
    store._batcher._max_waiting = 10
    async with Storage(store) as storage:
        space = storage.namespace("things")
        results = await asyncio.gather(*(space.put(str(n), n) for n in range(30)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Unavailable)]
        assert (len(refused), await space.count()) == (20, 10)
        assert refused[0].retry_after > 0


async def test_files_are_for_their_owner_only(url: str, tmp_path: Path) -> None:
    """Nobody else on the host may read documents, log or lock."""
    async with open_storage(url) as storage:
        await storage.namespace("things").put("k", 1)
        assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}


async def test_a_large_value_is_read_beside_the_loop(url: str) -> None:
    """A megabyte comes back whole through the reader thread."""
    async with open_storage(url) as storage:
        space = storage.namespace("things")
        await space.put("k", "x" * 1_000_000)
        found = await space.get("k")
        assert found is not None
        assert len(found.value) == 1_000_000


async def test_what_was_read_lately_is_never_old(tmp_path: Path) -> None:
    """Each read after a write, a deletion, an end of life or a whole new content answers what is there now."""
    clock = Ticking()
    store = await SqliteDocuments.open(tmp_path / "documents.db", clock=clock)
    async with Storage(store) as storage:
        space = storage.namespace("things")
        for number in range(3):
            await space.put("k", number)
            for _ in range(2):
                found = await space.get("k")
                assert found is not None
                assert number == found.value
        await space.delete("k")
        assert await space.get("k") is None
        await space.put("k", 1, ttl=1)
        assert await space.get("k") is not None
        clock.now += 2000
        assert await space.get("k") is None
        await space.put("k", 2)
        assert await space.get("k") is not None
        await store.erase()
        assert await space.get("k") is None


async def test_a_reader_of_the_feed_never_reads_what_was_before(tmp_path: Path) -> None:
    """Whoever learned of a change from the feed finds it, although its writer has not heard of it yet."""
    store = await SqliteDocuments.open(tmp_path / "documents.db")
    async with Storage(store) as storage:
        space = storage.namespace("things")

        async def write() -> None:
            for number in range(300):
                await space.put("k", number)

        writing = asyncio.create_task(write())
        since = 0
        while not writing.done():
            changes, since = await store.changes(since, 500)
            found = await space.get("k")
            assert not changes or (found is not None and found.version >= changes[-1].seq)
        await writing
