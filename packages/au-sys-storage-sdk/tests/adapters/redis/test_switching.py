"""A live switch through every durable backend and back, on real servers, while sixteen writers go on."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.core.switching.models import Phase
from au_sys_storage_sdk.core.switching.switchable import Switchable
from fastapi_services_platform.testing.postgres import postgres_server

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_redis]


async def test_sqlite_to_postgres_to_redis_and_back_loses_nothing(
    tmp_path: Path, start_redis: Callable[[Path], AbstractContextManager[str]]
) -> None:
    """No acknowledged write is lost or stale, and a watcher that was there from the start sees no gap."""
    with postgres_server() as server, start_redis(tmp_path) as redis:
        urls = {
            "sqlite": f"sqlite://{tmp_path}/one.db",
            "postgres": server.database("switching"),
            "redis": redis,
            "sqlite-again": f"sqlite://{tmp_path}/two.db",
        }
        journal = FileJournal(tmp_path / "switch.json")
        store = await Switchable.open("sqlite", journal, lambda name: document_store(urls[name]))
        async with Storage(store) as storage:
            await run_load(storage, store, ["postgres", "redis", "sqlite-again"])


async def run_load(storage: Storage, store: Switchable, targets: list[str]) -> None:
    """Switch through the targets while writers write, then compare everything."""
    space, expected, seen, stop = storage.namespace("load"), dict[str, int](), list[int](), asyncio.Event()

    async def write(mark: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            key = f"{mark}/{random.randrange(20)}"
            await space.put(key, number)
            expected[key] = number

    async def watch() -> None:
        async for change in space.watch(0):
            seen.append(change.seq)

    watching = asyncio.create_task(watch())
    writing = [asyncio.create_task(write(mark)) for mark in range(16)]
    for target in targets:
        await store.switch(target)
        done = await store.finished()
        assert (Phase.FLIPPED, target) == (done.phase, store.entry.active), done.reason
    stop.set()
    await asyncio.gather(*writing)
    for key, number in expected.items():
        found = await space.get(key)
        assert found is not None
        assert number == found.value
    last = await space.sequence()
    async with asyncio.timeout(20):
        while not seen or seen[-1] < last:
            await asyncio.sleep(0.01)
    watching.cancel()
    assert seen == list(range(1, last + 1))
