"""Is a worker alive, and what does it isolate: the library's health."""

from datetime import timedelta

from fastapi_services_platform import Health
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.oversight.operations import PURGE
from skriptoteket.core.runs.ports.records import Upkeep
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.queueing.matching import live

PURGE_LATE = timedelta(hours=6)


class RunnerHealth:
    """Degraded without a worker that can isolate: browsing and authoring go on, running waits."""

    def __init__(self, work: UnitOfWork[RunUnit], clock: Clock, alive_for: timedelta) -> None:
        self._work = work
        self._clock = clock
        self._alive_for = alive_for

    def _is_late(self, purge: Upkeep) -> bool:
        """A purge that never succeeded is late six hours after it was first seen to fail."""
        since = purge.succeeded_at or purge.tried_at
        return self._clock.now() - since > PURGE_LATE or (purge.succeeded_at is None and purge.failures > 0)

    async def check(self) -> Health:
        """What users would find if they pressed *Run* now."""
        async with self._work.read() as unit:
            workers = live(await unit.workers.all(), self._clock.now(), self._alive_for)
            waiting = await unit.queue.depth()
            oldest = await unit.queue.oldest_waiting()
            purge = await unit.runs.upkeep(PURGE)
        age = (self._clock.now() - oldest).total_seconds() if oldest is not None else 0
        data: dict[str, object] = {"waiting": waiting, "oldest_waiting_seconds": round(age)}
        data["purge"] = None if purge is None else {**purge.counts, "failures": purge.failures}
        if purge is not None and purge.succeeded_at is not None:
            data["purged_at"] = purge.succeeded_at.isoformat()
        if not workers:
            return Health("degraded", "no worker is running; start one: skriptoteket worker", data)
        data["workers"] = [
            {"id": worker.id, "runner": worker.runner, "capabilities": dict(worker.capabilities)} for worker in workers
        ]
        able = [worker for worker in workers if worker.runner]
        if not able:
            return Health("degraded", f"{workers[0].problem} {workers[0].fix}".strip(), data)
        if purge is not None and self._is_late(purge):
            text = "old data was not removed for more than six hours; look for job.failed of skriptoteket's purge"
            return Health("degraded", text, data)
        return Health("healthy", f"runner {able[0].runner}", data)
