"""The library's health: workers, and whether old data is removed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore
from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.platform.health import RunnerHealth
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.oversight.operations import Operating
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.retention import KeepingTimes, Retention


async def test_a_purge_that_stops_is_told(work: Any, clock: StandingClock) -> None:
    """Degraded without a worker, healthy with one, degraded six hours after the last purge, healthy after the next."""
    health = RunnerHealth(work, clock, timedelta(days=400))
    assert (await health.check()).status == "degraded"
    now = clock.now()
    worker = Worker(WorkerId("w"), "h", "b", 1, 0.0, "1", "test", {}, (), 1, 0, False, now, now)
    async with work.write() as unit:
        await unit.workers.save(worker)
    purge = Retention(work, MemoryArtifactStore(), clock, KeepingTimes())
    await purge.purge()
    assert (await health.check()).status == "healthy"
    clock.pass_(hours=6, minutes=1)
    late = await health.check()
    assert (late.status, "six hours" in late.detail) == ("degraded", True)
    await purge.purge()
    assert (await health.check()).status == "healthy"
    seen = (await Operating(work, clock, timedelta(days=400)).look()).purge
    assert seen is not None
    assert (clock.now(), 0) == (seen.succeeded_at, seen.failures)
    async with work.write() as unit:
        await unit.runs.keep_upkeep(replace(seen, failures=2, succeeded_at=None))
    assert (await health.check()).status == "degraded"
