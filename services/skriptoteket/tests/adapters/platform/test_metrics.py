"""The library's figures at a scrape."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore
from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.platform.metrics import LibraryMetrics
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.oversight.operations import Operating
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.retention import KeepingTimes, Retention


async def figures(metrics: LibraryMetrics) -> dict[str, float]:
    return {
        f"{reading.name}{list(labels) if labels else ''}": value
        for reading in await metrics.read()
        for labels, value in reading.values
    }


async def test_what_a_scrape_shows(work: Any, clock: StandingClock) -> None:  # Any: one of three units of work
    """Empty lanes are told too; workers, memory, live views and the purge are counted; every name is the library's."""
    metrics = LibraryMetrics(Operating(work, clock, timedelta(days=400)), work)
    empty = await figures(metrics)
    assert (empty["skriptoteket_queue_waiting['interactive']"], empty["skriptoteket_workers_alive"]) == (0.0, 0.0)
    assert all(name.startswith("skriptoteket_") for name in empty)
    now = clock.now()
    async with work.write() as unit:
        await unit.workers.save(
            Worker(WorkerId("w"), "h", "b", 1, 0.0, "1", "zygote", {}, (), 512, 64, False, now, now)
        )
        assert await unit.streams.take(uuid4(), "urn:fsp:person:1", 2, timedelta(minutes=1))
    await Retention(work, MemoryArtifactStore(), clock, KeepingTimes()).purge()
    clock.pass_(minutes=2)
    seen = await figures(metrics)
    wanted = {
        "workers_alive": 1,
        "workers_able": 1,
        "memory_budget_mib": 512,
        "memory_reserved_mib": 64,
        "live_views": 1,
        "purge_failures": 0,
        "purge_age_seconds": 120,
    }
    assert wanted == {name: seen[f"skriptoteket_{name}"] for name in wanted}
