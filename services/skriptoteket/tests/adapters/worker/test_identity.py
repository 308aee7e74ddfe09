"""One worker per state directory, one host per SQLite library, and a worker that is stuck is not called alive."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from au_sys_storage_sdk import open_blobs
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.adapters.platform.time_and_ids import SystemClock
from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.identity import SecondHost, StateLock, WorkerAlreadyRuns, is_alive
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.ports.workers import Worker

if TYPE_CHECKING:
    from tests.adapters.worker.conftest import Library

_LATELY = timedelta(seconds=30)


def elsewhere(heartbeat_at: datetime) -> Worker:
    """The record of a worker of another host."""
    who = (WorkerId("other-1"), "other", "another-boot", 7, 1.0, "1", "zygote")
    return Worker(*who, {}, ("standard@1",), 1024, 0, False, heartbeat_at, heartbeat_at)


async def started(library: "Library", *, one_host: bool) -> None:
    """A worker that works until nothing waits."""
    async with open_blobs(f"file://{library.folder}/blobs") as blobs:
        parts = WorkerParts(library.uow, BlobArtifactStore(blobs), MemorySandbox(), HostReport(()), SystemClock())
        settings = WorkerSettings(library.folder / "state", memory_budget_mib=4096)
        await run_worker(settings, replace(parts, one_host=one_host), once=True)


async def test_a_library_of_one_host_refuses_a_second(library: "Library") -> None:
    """With SQLite a worker does not start while another host's lives, and says what to do; it leaves no record."""
    async with library.uow.write() as unit:
        await unit.workers.save(elsewhere(datetime.now(UTC)))

    with pytest.raises(SecondHost, match=r"SKRIPTOTEKET_DATABASE_URL=postgresql"):
        await started(library, one_host=True)
    async with library.uow.read() as unit:
        assert [one.id for one in await unit.workers.all()] == ["other-1"]


async def test_a_host_that_is_gone_keeps_nobody_out(library: "Library") -> None:
    """A record without a heartbeat for as long as a lease lasts is no host, and PostgreSQL takes any number."""
    async with library.uow.write() as unit:
        await unit.workers.save(elsewhere(datetime.now(UTC)))
    await started(library, one_host=False)
    async with library.uow.write() as unit:
        await unit.workers.save(elsewhere(datetime.now(UTC) - 2 * _LATELY))

    await started(library, one_host=True)


def test_only_a_beating_holder_is_alive(tmp_path: Path) -> None:
    """Nobody there, a holder that beats, one that is stuck, and one that is gone are told apart."""
    nobody = is_alive(tmp_path, _LATELY)
    lock = StateLock(tmp_path)
    lock.beat()
    beating = is_alive(tmp_path, _LATELY)
    os.utime(tmp_path / "worker.lock", (0, 0))
    stuck = is_alive(tmp_path, _LATELY)
    lock.beat()
    with pytest.raises(WorkerAlreadyRuns):
        StateLock(tmp_path)
    lock.release()

    assert (nobody, beating, stuck, is_alive(tmp_path, _LATELY)) == (False, True, False, False)
