"""Storage against the usual ways, in paired, shuffled rounds of one run: a table of medians and ratios.

Run it with ``uv run just bench storage`` or directly; ``--quick`` takes fewer rounds.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiosqlite
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from au_sys_storage_sdk import Storage, open_storage

VALUE = {"name": "x" * 900, "numbers": list(range(20)), "nested": {"a": None, "b": True}}
WRITERS = 64
KEYS = 10_000

Round = Callable[[Path, float], Awaitable[float]]
"""Work for some seconds in a folder; operations a second."""


async def during(seconds: float, work: Callable[[int], Awaitable[object]], workers: int = WRITERS) -> float:
    """Calls a second of ``work`` by so many workers."""
    done, started = 0, time.perf_counter()

    async def worker(number: int) -> None:
        nonlocal done
        step = number
        while time.perf_counter() - started < seconds:
            await work(step % KEYS)
            step += workers
            done += 1

    await asyncio.gather(*(worker(number) for number in range(workers)))
    return done / (time.perf_counter() - started)


async def ours(folder: Path, seconds: float) -> float:
    """Durable puts through the SDK, everything on."""
    async with open_storage(f"sqlite://{folder}/ours.db") as storage:
        space = storage.namespace("bench")
        return await during(seconds, lambda step: space.put(f"key-{step:05}", VALUE))


async def ours_not_synced(folder: Path, seconds: float) -> float:
    """The same with synchronous=NORMAL, to see what durability costs."""
    async with open_storage(f"sqlite://{folder}/normal.db") as storage:
        storage.store._writing_side()._connection.execute("PRAGMA synchronous=NORMAL")  # type: ignore[attr-defined]  # sqlite
        space = storage.namespace("bench")
        return await during(seconds, lambda step: space.put(f"key-{step:05}", VALUE))


async def with_aiosqlite(folder: Path, seconds: float) -> float:
    """One connection, one commit each, as most programs do it."""
    import json

    async with aiosqlite.connect(folder / "aiosqlite.db") as connection:
        await connection.execute("PRAGMA journal_mode=WAL")
        await connection.execute("PRAGMA synchronous=FULL")
        await connection.execute("CREATE TABLE IF NOT EXISTS docs(key TEXT PRIMARY KEY, value BLOB)")
        lock = asyncio.Lock()

        async def put(step: int) -> None:
            async with lock:
                await connection.execute(
                    "INSERT INTO docs VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                    (f"key-{step:05}", json.dumps(VALUE)),
                )
                await connection.commit()

        return await during(seconds, put)


async def with_sqlalchemy(folder: Path, seconds: float) -> float:
    """A session's connection and a commit for each write."""
    import json

    engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/alchemy.db", connect_args={"timeout": 60})
    async with engine.begin() as connection:
        await connection.execute(text("PRAGMA journal_mode=WAL"))
        await connection.execute(text("CREATE TABLE IF NOT EXISTS docs(key TEXT PRIMARY KEY, value BLOB)"))
    statement = text("INSERT INTO docs VALUES(:k, :v) ON CONFLICT(key) DO UPDATE SET value = excluded.value")
    lock = asyncio.Lock()

    async def put(step: int) -> None:
        async with lock, engine.begin() as connection:
            await connection.execute(statement, {"k": f"key-{step:05}", "v": json.dumps(VALUE)})

    try:
        return await during(seconds, put)
    finally:
        await engine.dispose()


async def reads_under_writes(folder: Path, seconds: float) -> float:
    """The 99th percentile of a get in microseconds while 64 writers put as fast as they can."""
    async with open_storage(f"sqlite://{folder}/reads.db") as storage:
        space = storage.namespace("bench")
        for step in range(1000):
            await space.put(f"key-{step:05}", VALUE)
        taken: list[float] = []

        async def reader() -> None:
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                before = time.perf_counter()
                await space.get(f"key-{random.randrange(1000):05}")
                taken.append(time.perf_counter() - before)
                await asyncio.sleep(0)

        await asyncio.gather(reader(), during(seconds, lambda step: space.put(f"key-{step:05}", VALUE)))
        return statistics.quantiles(taken, n=100)[98] * 1e6


async def writes_p99(storage: Storage, seconds: float) -> float:
    """The 99th percentile of a durable put at 64 writers in milliseconds."""
    space = storage.namespace("latency")
    taken: list[float] = []

    async def put(step: int) -> None:
        before = time.perf_counter()
        await space.put(f"key-{step:05}", VALUE)
        taken.append(time.perf_counter() - before)

    await during(seconds, put)
    return statistics.quantiles(taken, n=100)[98] * 1e3


async def get_cost(storage: Storage, keys: int) -> float:
    """Median microseconds of a get among so many keys."""
    space = storage.namespace("sized")
    taken = []
    for _ in range(5000):
        key = f"key-{random.randrange(keys):07}"
        before = time.perf_counter()
        await space.get(key)
        taken.append(time.perf_counter() - before)
    return statistics.median(taken) * 1e6


async def fill(storage: Storage, keys: int) -> None:
    """Put so many small documents."""
    space = storage.namespace("sized")
    for start in range(0, keys, 500):
        await asyncio.gather(*(space.put(f"key-{n:07}", {"n": n}) for n in range(start, min(start + 500, keys))))


async def pages(storage: Storage) -> tuple[float, float]:
    """Milliseconds of the first and the last of 100 pages."""
    space = storage.namespace("sized")
    taken = []
    after = ""
    for _ in range(100):
        before = time.perf_counter()
        page = await space.scan(after=after, limit=100)
        taken.append(time.perf_counter() - before)
        after = page.after or ""
    return statistics.median(taken[:10]) * 1e3, statistics.median(taken[-10:]) * 1e3


def line(what: str, value: str, ratio: str = "", must: str = "") -> None:
    """One row of the table."""
    print(f"{what:<58} {value:>18} {ratio:>10} {must:>12}", flush=True)


async def throughput(folder: Path, rounds: int, seconds: float) -> None:
    """Paired, shuffled rounds of the four ways to put."""
    ways: dict[str, Round] = {
        "ours, durable": ours, "ours, synchronous=NORMAL": ours_not_synced, "aiosqlite, a commit each": with_aiosqlite,
        "SQLAlchemy async, a commit each": with_sqlalchemy,
    }  # fmt: skip
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name in random.sample(list(ways), len(ways)):
            found[name].append(await ways[name](folder, seconds))
    rates = {name: statistics.median(values) for name, values in found.items()}
    mine = rates["ours, durable"]
    musts = ("", "<= 1.5", ">= 5", ">= 20")
    for name, must in zip(ways, musts, strict=True):
        ratio = rates[name] / mine if name.endswith("NORMAL") else mine / rates[name]
        line(f"put, {WRITERS} writers: {name}", f"{rates[name]:,.0f}/s", f"{ratio:.2f} x", must)


async def main() -> None:
    """The whole table."""
    quick = "--quick" in sys.argv
    rounds, seconds, many = (3, 1.0, 100_000) if quick else (5, 2.0, 1_000_000)
    with tempfile.TemporaryDirectory(prefix="storage-bench-") as name:
        folder = Path(name)
        await throughput(folder, rounds, seconds)
        async with open_storage(f"sqlite://{folder}/latency.db") as storage:
            line("put p99, 64 writers, durable", f"{await writes_p99(storage, seconds):.1f} ms", "", "<= 15 ms")
        line("get p99 under 64 writers", f"{await reads_under_writes(folder, seconds):.0f} us", "", "<= 300 us")
        async with open_storage(f"sqlite://{folder}/small.db") as storage:
            await fill(storage, 10_000)
            small = await get_cost(storage, 10_000)
            first, last = await pages(storage)
        line("page of 100: last of 100 / first", f"{last:.2f} ms", f"{last / first:.2f} x", "<= 1.2")
        async with open_storage(f"sqlite://{folder}/large.db") as storage:
            await fill(storage, many)
            large = await get_cost(storage, many)
        line(f"get among {many:,} keys / among 10,000", f"{large:.0f} us", f"{large / small:.2f} x", "<= 2")
        before = time.perf_counter()
        async with open_storage(f"sqlite://{folder}/large.db") as storage:
            await storage.namespace("sized").get("key-0000001")
        line(f"open a file with {many:,} keys", f"{(time.perf_counter() - before) * 1e3:.0f} ms", "", "< 1 s")


if __name__ == "__main__":
    asyncio.run(main())
