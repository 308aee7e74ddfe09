"""A thousand watchers: how late they hear of a commit, and whether they miss one over a restart and a switch; and how
long writers wait while documents are moved.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path

from tests.benchmarks.storage.measuring import VALUE, WRITERS, Row, Scale, percentile

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.sqlite.documents import SqliteDocuments
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.switching.switchable import Switchable

_WRITES = 40
_PAUSE = 0.05


class Watchers:
    """Everybody who watches: what each has seen, and how long after the beginning of its commit."""

    def __init__(self, number: int) -> None:
        self.seen: list[list[int]] = [[] for _ in range(number)]
        self.late: list[float] = []
        self.begun: dict[str, float] = {}

    async def watch(self, space: Namespace[object], number: int) -> None:
        """Follow from where this one stood."""
        seen = self.seen[number]
        async for change in space.watch(seen[-1] if seen else 0):
            seen.append(change.seq)
            self.late.append(time.perf_counter() - self.begun[change.key])

    def gaps(self, written: list[int]) -> int:
        """How many watchers have not seen exactly what was written."""
        return sum(seen != written for seen in self.seen)


async def _opened(folder: Path) -> Switchable:
    async def backend(name: str) -> SqliteDocuments:
        return await SqliteDocuments.open(folder / f"{name}.db")

    return await Switchable.open("one", FileJournal(folder / "journal.json"), backend)


async def watching(folder: Path, scale: Scale) -> list[Row]:
    """Writes, a restart, writes over a switch."""
    folder.mkdir()
    watchers, written = Watchers(scale.watchers), list[int]()
    for phase in ("plain", "switch"):
        store = await _opened(folder)
        async with Storage(store) as storage:
            space = storage.namespace("watched")
            tasks = [asyncio.create_task(watchers.watch(space, number)) for number in range(scale.watchers)]
            await asyncio.sleep(0.5)
            for number in range(_WRITES):
                key = f"{phase}-{number}"
                if phase == "switch" and number == _WRITES // 2:
                    await store.switch("two")
                watchers.begun[key] = time.perf_counter()
                written.append(await space.put(key, number))
                await asyncio.sleep(_PAUSE)
            await store.finished() if phase == "switch" else None
            await _until(lambda: all(len(seen) >= len(written) for seen in watchers.seen))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    who = f"{scale.watchers:,} watchers"
    return [
        Row(f"watch, {who}: commit begun to subscriber, p99", percentile(watchers.late, 99) * 1e3, "ms", 50, 10,
            note=f"median {percentile(watchers.late, 50) * 1e3:.1f} ms"),
        Row(f"watch, {who}, over a restart and a switch: with gaps", watchers.gaps(written), "", 0, 0),
    ]  # fmt: skip


async def _until(done: object, seconds: float = 30) -> None:
    ends = time.perf_counter() + seconds
    while not done() and time.perf_counter() < ends:  # type: ignore[operator]  # a function without arguments
        await asyncio.sleep(0.02)


async def switching(folder: Path, scale: Scale) -> list[Row]:
    """Move many documents while 64 writers go on; how long each of them waited at most around the flip."""
    folder.mkdir()
    store = await _opened(folder)
    async with Storage(store) as storage:
        space = storage.namespace("moved")
        for start in range(0, scale.switched, 500):
            await asyncio.gather(*(space.put(f"key-{n:07}", {"n": n}) for n in range(start, start + 500)))
        taken: list[list[tuple[float, float]]] = [[] for _ in range(WRITERS)]
        stop = asyncio.Event()

        async def writer(number: int) -> None:
            step = number
            while not stop.is_set():
                before = time.perf_counter()
                await space.put(f"key-{step % scale.switched:07}", VALUE)
                taken[number].append((before, time.perf_counter()))
                step += WRITERS
                await asyncio.sleep(0.01)

        writers = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
        begun = time.perf_counter()
        await store.switch("two")
        progress = await store.finished()
        flipped = time.perf_counter()
        await asyncio.sleep(0.5)
        stop.set()
        await _quiet(asyncio.gather(*writers))
    if progress.phase.value != "flipped":
        raise RuntimeError(f"the switch ended as {progress.phase.value}: {progress.reason}")
    waits = [max(end - start for start, end in times if end > flipped - 1) for times in taken]
    what = f"live switch of {scale.switched:,} documents, 64 writers: longest wait, p99"
    note = f"the fence took {(progress.pause or 0) * 1e3:.1f} ms, the move {flipped - begun:.1f} s"
    return [Row(what, percentile(waits, 99) * 1e3, "ms", 100, 25, note=note)]


async def _quiet(work: Awaitable[object]) -> None:
    with suppress(asyncio.CancelledError):
        await work
