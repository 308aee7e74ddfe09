"""What an operator sees and steers: workers, the queue by lane, outcomes, upkeep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.models import Lane
from skriptoteket.core.runs.ports.queue import LaneLoad
from skriptoteket.core.runs.ports.records import Upkeep
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.matching import live

PURGE = "purge"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Operations:
    """The state of the whole service, from the database that all processes share."""

    workers: Sequence[Worker]
    alive: frozenset[WorkerId]
    lanes: Sequence[LaneLoad]
    outcomes: Mapping[str, int]
    purge: Upkeep | None
    at: datetime


class Operating:
    """The verbs *look* and *drain*. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[RunUnit], clock: Clock, alive_for: timedelta) -> None:
        self._work = work
        self._clock = clock
        self._alive_for = alive_for

    async def look(self) -> Operations:
        """Everything at once; outcomes are those of the last day."""
        now = self._clock.now()
        async with self._work.read() as unit:
            workers = await unit.workers.all()
            found = {load.lane: load for load in await unit.queue.lanes()}
            lanes = [found.get(lane, LaneLoad(lane, 0, None)) for lane in Lane]
            outcomes = await unit.runs.outcomes(now - _DAY)
            purge = await unit.runs.upkeep(PURGE)
        alive = frozenset(worker.id for worker in live(workers, now, self._alive_for))
        return Operations(workers, alive, lanes, outcomes, purge, now)

    async def drain(self, worker: WorkerId) -> None:
        """Ask a worker to take no more, finish what it has and end; it hears of it with its next heartbeat.

        Raises:
            NotFound: there is no such worker.
        """
        async with self._work.write() as unit:
            if not await unit.workers.ask_to_drain(worker, self._clock.now()):
                raise NotFound("worker", worker)
