"""The checkers find what is planted; every backend's history under concurrent writers is in order."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.storage.history.load import CLIENTS, load
from tests.faults.storage.history.planted import Lossy, Slow, Stale, Swapped

from au_sys_storage_sdk import Storage, open_storage
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.histories import UNKNOWN, Call, History, by_key, linearizable, violations
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding
from fastapi_services_platform.testing.postgres import postgres_server
from fastapi_services_platform.testing.redis import redis_server


async def test_a_history_in_order_passes() -> None:
    """The reference model, with others let in at every call."""
    history = await load(Storage(Slow(MemoryDocuments())), 1)
    assert history.problems() == []


@pytest.mark.parametrize("planted", [Stale, Lossy, Swapped])
async def test_planted_errors_are_found(planted: Callable[[], Forwarding]) -> None:
    """A stale read, a lost update, exchanged versions: the version order tells."""
    history = await load(Storage(planted()), 1)
    assert violations(history.calls) != []


@pytest.mark.parametrize("planted", [Stale, Lossy])
async def test_planted_errors_are_found_without_versions(planted: Callable[[], Forwarding]) -> None:
    """Wing and Gong see what a client without versions could see."""
    history = await load(Storage(planted()), 1, clients=6)
    assert not all(linearizable(calls) for calls in by_key(history.calls).values())


def call(kind: str, begun: float, ended: float, value: object = None, version: int | None = None) -> Call:
    """A call on the one key."""
    return Call(kind, "k", begun, ended, value, version)  # type: ignore[arg-type]  # one of the kinds


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([call("write", 1, 2, "a", 1), call("read", 3, 4, "a", 1)], True),
        ([call("write", 1, 2, "a", 1), call("read", 3, 4)], False),
        ([call("write", 1, 4, "a", 1), call("read", 2, 3)], True),
        ([call("write", 1, 4, "a", 1), call("read", 2, 3, "a", 1), call("read", 5, 6)], False),
        ([call("write", 1, UNKNOWN, "a"), call("read", 2, 3), call("read", 4, 5, "a", 1)], True),
        ([call("write", 1, UNKNOWN, "a"), call("read", 2, 3, "a", 1), call("read", 4, 5)], False),
        ([call("write", 1, 2, "a", 1), call("remove", 3, 4, None, 2), call("read", 5, 6)], True),
        ([call("write", 1, 2, "a", 1), call("write", 3, 4, "b", 2), call("read", 5, 6, "a", 1)], False),
        ([call("write", 1, 2, "b", 2), call("write", 3, 4, "a", 1)], None),
    ],
)
def test_small_histories_are_judged_right(calls: list[Call], expected: bool | None) -> None:
    """Both checkers agree, but for an order of versions that no reader has seen (``None``)."""
    assert (expected is True) == (violations(calls) == [])
    assert (expected is not False) == linearizable(calls)


def test_a_long_history_is_checked() -> None:
    """Two hundred thousand calls in order pass, one that is not is found; the speed is printed."""
    calls: list[Call] = []
    for n in range(1, 200_000, 2):
        calls += [call("write", n, n + 0.5, n, n), call("read", n + 1, n + 1.5, n, n)]
    begun = time.perf_counter()
    assert violations(calls) == []
    print(f"{len(calls) / (time.perf_counter() - begun):,.0f} calls a second")
    assert len(violations([*calls, call("read", 300_000, 300_001, 7, 7)])) == 1


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A database."""
    with postgres_server() as server:
        yield server.database("histories")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.mark.parametrize("seed", range(3))
async def test_sqlite_is_linearizable(tmp_path: Path, seed: int) -> None:
    """Concurrent readers and writers on few keys."""
    async with open_storage(f"sqlite://{tmp_path}/documents.db") as storage:
        assert (await load(storage, seed)).problems() == []


@pytest.mark.needs_postgres
@pytest.mark.parametrize("seed", range(2))
async def test_postgres_is_linearizable(postgres: str, seed: int) -> None:
    """The same through two nodes of one database."""
    await _two_nodes(postgres, seed)


@pytest.mark.needs_redis
@pytest.mark.parametrize("seed", range(2))
async def test_redis_is_linearizable(redis: str, seed: int) -> None:
    """The same through two nodes of one server."""
    await _two_nodes(redis, seed)


async def _two_nodes(url: str, seed: int) -> None:
    async with open_storage(url) as one, open_storage(url) as two:
        for number in range(5):
            await one.namespace("load").delete(f"k{number}")
        history = History()
        halves = await asyncio.gather(
            load(one, seed, CLIENTS // 2, history=history), load(two, seed + 100, CLIENTS // 2, history=history)
        )
        assert halves[0].problems() == []
