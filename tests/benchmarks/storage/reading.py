"""Gets while others write, gets and pages among many keys, and opening the file after a kill -9."""

from __future__ import annotations

import asyncio
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.storage.measuring import ROOT, VALUE, Row, Scale, during, percentile

from au_sys_storage_sdk import Storage, open_storage

_SMALL = 10_000
_PAGES = 100
_BETWEEN = 0.001
_LOAD = 30_000
"""Durable puts a second that gets have to stand."""


async def under_writes(folder: Path, seconds: float) -> tuple[float, float]:
    """The 99th percentile of a get in microseconds while 64 writers put as fast as they can, and their rate.

    Readers and writers share a process, as requests of one platform do; a thousand gets a second are asked for. More of
    them would measure how they and the writers share one processor, and the writers would not reach their rate.
    """
    async with open_storage(f"sqlite://{folder}/reads.db") as storage:
        space = storage.namespace("bench")
        await asyncio.gather(*(space.put(f"key-{step:05}", VALUE) for step in range(1000)))
        taken: list[float] = []

        async def reader() -> None:
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                before = time.perf_counter()
                await space.get(f"key-{random.randrange(1000):05}")
                taken.append(time.perf_counter() - before)
                await asyncio.sleep(_BETWEEN)

        _, rate = await asyncio.gather(reader(), during(seconds, lambda step: space.put(f"key-{step:05}", VALUE)))
    return percentile(taken, 99) * 1e6, rate


async def fill(storage: Storage, keys: int) -> None:
    """Put so many small documents."""
    space = storage.namespace("sized")
    for start in range(0, keys, 500):
        await asyncio.gather(*(space.put(f"key-{n:07}", {"n": n}) for n in range(start, min(start + 500, keys))))


async def _filled_and_killed(path: Path, keys: int) -> None:
    """What the other process does: fill the file, tell so, and go on writing until it is killed."""
    async with open_storage(f"sqlite://{path}") as storage:
        await fill(storage, keys)
        print("filled", flush=True)
        await during(3600, lambda step: storage.namespace("bench").put(f"key-{step:05}", VALUE))


async def get_cost(storage: Storage, keys: int) -> float:
    """Median microseconds of a get among so many keys."""
    space, taken = storage.namespace("sized"), []
    for _ in range(4000):
        key = f"key-{random.randrange(keys):07}"
        before = time.perf_counter()
        await space.get(key)
        taken.append(time.perf_counter() - before)
    return statistics.median(taken) * 1e6


async def page_costs(storage: Storage) -> tuple[float, float]:
    """Milliseconds of the first and of the last of a hundred pages, each asked for often and in turn."""
    space, cursors = storage.namespace("sized"), [""]
    for _ in range(_PAGES - 1):
        cursors.append((await space.scan(after=cursors[-1], limit=100)).after or "")
    taken: dict[str, list[float]] = {cursors[0]: [], cursors[-1]: []}
    for _ in range(50):
        for cursor, times in taken.items():
            before = time.perf_counter()
            await space.scan(after=cursor, limit=100)
            times.append(time.perf_counter() - before)
    first, last = (statistics.median(times) * 1e3 for times in taken.values())
    return first, last


def _killed(path: Path, keys: int) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.storage.reading", str(path), str(keys)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as other:
        if other.stdout is None or other.stdout.readline() != b"filled\n":
            raise RuntimeError("the other process did not fill the file")
        time.sleep(0.5)
        other.send_signal(signal.SIGKILL)


async def rows(folder: Path, scale: Scale) -> list[Row]:
    """What reading costs."""
    p99, rate = await under_writes(folder, scale.seconds * 2)
    found = [
        Row("get while 64 writers put as fast as they can: p99", p99, "us", 300, 100),
        Row("durable puts a second meanwhile", rate, "/s", _LOAD, _LOAD, at_least=True),
    ]
    large = folder / "large.db"
    await asyncio.to_thread(_killed, large, scale.many)
    begun = time.perf_counter()
    async with open_storage(f"sqlite://{large}") as storage, open_storage(f"sqlite://{folder}/small.db") as small:
        await storage.namespace("sized").get("key-0000001")
        opened = time.perf_counter() - begun
        await fill(small, _SMALL)
        costs: dict[int, list[float]] = {_SMALL: [], scale.many: []}
        for _ in range(scale.rounds):
            costs[_SMALL].append(await get_cost(small, _SMALL))
            costs[scale.many].append(await get_cost(storage, scale.many))
        few, many = (statistics.median(taken) for taken in costs.values())
        first, last = await page_costs(small)
    return [
        *found,
        Row(
            f"get among {scale.many:,} keys against 10,000", many / few, "x", 2, 1.3, note=f"{many:.0f} us : {few:.0f}"
        ),
        Row(
            "page of 100: the last against the first", last / first, "x", 1.2, 1.0, note=f"{last:.2f} ms : {first:.2f}"
        ),
        Row(f"reopen after kill -9 with {scale.many:,} keys", opened, "s", 1, 0.2),
    ]


if __name__ == "__main__":
    asyncio.run(_filled_and_killed(Path(sys.argv[1]), int(sys.argv[2])))
