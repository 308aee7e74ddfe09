"""Full and failing disks, lost and slow connections, clocks that jump: a clear error, nothing lost, no restart."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apsw
import pytest
from tests.faults.storage.resources.proxy import Proxy, proxy

from au_sys_storage_sdk import Storage, open_storage
from au_sys_storage_sdk.adapters.sqlite.documents import SqliteDocuments
from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.conformance.histories import History, violations
from au_sys_storage_sdk.core.errors import ReadOnly, Unavailable
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from fastapi_services_platform.testing.redis import redis_server

_REPOSITORY = Path(__file__).parents[4]


def test_a_full_disk_is_told_and_heals(tmp_path: Path) -> None:
    """A limit of the operating system stops a write: it is refused, the others stay, it goes on when there is room."""
    command = [sys.executable, "-m", "tests.faults.storage.resources.crowded", f"sqlite://{tmp_path}/documents.db"]
    done = subprocess.run(command, cwd=_REPOSITORY, capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert (found["acknowledged"], []) == (found["readable"], found["lost"])
    assert found["acknowledged"] > 10
    assert found["complaint"].startswith("Storage is unavailable: the disk under ")


class Failing(apsw.VFS):
    """The real disk, which fails when it is told to."""

    def __init__(self) -> None:
        super().__init__("failing", "unix")
        self.error: type[apsw.Error] | None = None
        self.call = ""

    def xOpen(self, name: Any, flags: list[int]) -> "_File":
        """A file on it."""
        return _File(self, name, flags)

    def meet(self, call: str) -> None:
        """Fail if it is time."""
        if self.error is not None and call == self.call:
            raise self.error("planted")


class _File(apsw.VFSFile):
    def __init__(self, disk: Failing, name: Any, flags: list[int]) -> None:  # Any: see Failing.xOpen
        super().__init__("unix", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.meet("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.meet("sync")
        super().xSync(flags)


@pytest.fixture
def disk() -> Iterator[Failing]:
    """The default disk of this process meanwhile."""
    made = Failing()
    apsw.set_default_vfs("failing")
    yield made
    apsw.set_default_vfs("unix")
    made.unregister()


@pytest.mark.parametrize(
    ("error", "call", "expected"),
    [
        (apsw.FullError, "write", Unavailable),
        (apsw.IOError, "write", Unavailable),
        (apsw.IOError, "sync", Unavailable),
        (apsw.ReadOnlyError, "write", ReadOnly),
    ],
)
async def test_a_failing_disk_is_told_and_heals(
    tmp_path: Path, disk: Failing, error: type[apsw.Error], call: str, expected: type[Exception]
) -> None:
    """Writes are refused with the reason, reads go on, and the next write after it is well again succeeds."""
    async with open_storage(f"sqlite://{tmp_path}/documents.db") as storage:
        space = storage.namespace("things")
        before = await space.put("k", 1)
        disk.error, disk.call = error, call
        for _ in range(3):
            with pytest.raises(expected):
                await space.put("k", 2)
            found = await space.get("k")
            assert (before, 1) == (found.version if found else None, found.value if found else None)
        disk.error = None
        assert await space.put("k", 3) > before
    async with open_storage(f"sqlite://{tmp_path}/documents.db") as storage:
        found = await storage.namespace("things").get("k")
        assert found is not None
        assert found.value == 3


async def test_a_clock_that_jumps_loses_nothing(tmp_path: Path) -> None:
    """Years ahead and back: versions grow, what has no end of life stays, what has one is there in its time."""
    clock, chance = Ticking(), random.Random(1)
    async with Storage(await SqliteDocuments.open(tmp_path / "documents.db", clock=clock)) as storage:
        space, versions = storage.namespace("things"), list[int]()
        for number in range(60):
            clock.now = 1_700_000_000_000 + chance.choice((0, 1, -1)) * 31_536_000_000
            versions.append(await space.put(f"k/{number}", number))
            await storage.sweep()
        assert versions == sorted(set(versions))
        assert await space.count() == 60
        clock.now = 1_700_000_000_000
        await space.put("mortal", 1, ttl=10)
        clock.now += 9_999
        assert await space.get("mortal") is not None
        clock.now += 1
        assert await space.get("mortal") is None
        clock.now -= 5_000
        assert await space.get("mortal") is not None


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A server for this module."""
    with postgres_server() as started:
        yield started


@asynccontextmanager
async def _way_to_postgres(server: PostgresServer) -> AsyncIterator[tuple[Proxy, str]]:
    url = server.database("resources")
    parts = urlsplit(url)
    async with proxy(lambda: asyncio.open_connection(parts.hostname, parts.port)) as way:
        yield way, url.replace(f":{parts.port}/", f":{way.port}/")


@asynccontextmanager
async def _way_to_redis(folder: Path) -> AsyncIterator[tuple[Proxy, str]]:
    with redis_server(folder) as url:
        parts = urlsplit(url)
        async with proxy(lambda: asyncio.open_connection(parts.hostname, parts.port)) as way:
            yield way, f"redis://127.0.0.1:{way.port}/0"


async def _through_trouble(way: Proxy, url: str) -> None:
    """Write while connections are cut and refused; afterwards everything acknowledged is there, without a restart."""
    history, refused = History(), 0
    async with open_storage(url) as storage:
        space = storage.namespace("things")
        stop = asyncio.Event()

        async def write(mark: int) -> None:
            nonlocal refused
            number = 0
            while not stop.is_set():
                number += 1
                value, key = f"{mark}/{number}", f"k{mark % 4}"
                try:
                    await history.write(key, value, _put(space.put, key, value))
                except Exception as error:
                    raise AssertionError(f"not a storage error: {error!r}") from error
                if history.calls[-1].version is None:
                    refused += 1
                    await asyncio.sleep(0.05)

        writing = [asyncio.create_task(write(mark)) for mark in range(8)]
        for _ in range(2):
            await _written(history, 20)
            way.refusing = True
            way.cut()
            before = refused
            async with asyncio.timeout(60):
                while refused == before:
                    await asyncio.sleep(0.01)
            way.refusing = False
        await _written(history, 20)
        stop.set()
        await asyncio.gather(*writing)
        for key in ("k0", "k1", "k2", "k3"):
            await history.read(key, _got(space, key))
    assert violations(history.calls) == []


async def _written(history: History, more: int) -> None:
    """Wait until so many further writes are acknowledged."""
    goal = sum(call.version is not None for call in history.calls) + more
    async with asyncio.timeout(120):
        while sum(call.version is not None for call in history.calls) < goal:
            await asyncio.sleep(0.01)


def _put(put: Callable[..., Any], key: str, value: str) -> Callable[[], Any]:  # Any: what put answers, awaitable
    return lambda: put(key, value)


def _got(space: Any, key: str) -> Callable[[], Any]:  # Any: a namespace of plain JSON, and what its get answers
    async def look() -> tuple[object, int] | None:
        found = await space.get(key)
        return None if found is None else (found.value, found.version)

    return look


@pytest.mark.needs_postgres
async def test_lost_connections_to_postgres_lose_nothing(postgres: PostgresServer) -> None:
    """Cut in the middle of everything, twice."""
    async with _way_to_postgres(postgres) as (way, url):
        await _through_trouble(way, url)


@pytest.mark.needs_redis
async def test_lost_connections_to_redis_lose_nothing(tmp_path: Path) -> None:
    """Cut in the middle of everything, twice."""
    async with _way_to_redis(tmp_path) as (way, url):
        await _through_trouble(way, url)


@pytest.mark.needs_postgres
async def test_a_slow_backend_pushes_back(postgres: PostgresServer) -> None:
    """What cannot be queued is refused at once with a time to come back; the rest is written."""
    async with _way_to_postgres(postgres) as (way, url), open_storage(url) as storage:
        space = storage.namespace("things")
        await space.put("k", 0)
        way.delay = 0.05
        storage.store._batcher._max_waiting = 50  # type: ignore[attr-defined]  # a small queue, to see its end
        results = await asyncio.gather(*(space.put(f"{n}", n) for n in range(100)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Unavailable)]
        assert (len(refused), all(error.retry_after > 0 for error in refused)) == (50, True)
        way.delay = 0.0
        assert await space.count() == 51
