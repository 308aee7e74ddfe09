"""Figures of the library for whoever scrapes: the queue, runs, workers, upkeep and live views.

They come from the database that all processes share: every process shows the same, so take the largest, not the sum.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Protocol

from fastapi_services_platform import Reading
from skriptoteket.core.ports import UnitOfWork
from skriptoteket.core.runs.oversight.operations import Operating, Operations
from skriptoteket.core.runs.ports.queue import Timing
from skriptoteket.core.runs.ports.streams import StreamUnit
from skriptoteket.core.runs.ports.unit import RunUnit

_MEASURED = 100
"""So many of the latest runs tell how long a run takes."""


class MeasuredUnit(RunUnit, StreamUnit, Protocol):
    """One transaction as the figures see it."""


class LibraryMetrics:
    """The verb *read*. Lives as long as the app."""

    def __init__(self, operating: Operating, work: UnitOfWork[MeasuredUnit]) -> None:
        self._operating = operating
        self._work = work

    async def read(self) -> Sequence[Reading]:
        """Everything of this moment."""
        seen = await self._operating.look()
        async with self._work.read() as unit:
            streams = await unit.streams.count()
            timings = await unit.queue.timings(_MEASURED)
        return [*_of_queue(seen), *_of_runs(seen, timings), *_of_workers(seen), *_of_upkeep(seen), _streams(streams)]


def _of_queue(seen: Operations) -> Iterable[Reading]:
    waiting = [((str(load.lane),), float(load.waiting)) for load in seen.lanes]
    ages = [((str(load.lane),), (seen.at - load.oldest).total_seconds() if load.oldest else 0.0) for load in seen.lanes]
    yield _gauge("queue_waiting", "Runs that wait.", waiting, "lane")
    yield _gauge("queue_oldest_seconds", "How long the run has waited that waits longest.", ages, "lane")


def _of_runs(seen: Operations, timings: Sequence[Timing]) -> Iterable[Reading]:
    ends = [((outcome,), float(count)) for outcome, count in seen.outcomes.items()]
    yield _gauge("runs_last_day", "Runs that ended within a day, by how.", ends, "outcome")
    took: dict[str, list[float]] = {}
    for one in timings:
        if one.finished_at is not None:
            took.setdefault(str(one.lane), []).append((one.finished_at - one.started_at).total_seconds())
    medians = [((lane,), median(seconds)) for lane, seconds in took.items()]
    yield _gauge("run_seconds_median", "How long the latest runs took, from start to end.", medians, "lane")


def _of_workers(seen: Operations) -> Iterable[Reading]:
    alive = [worker for worker in seen.workers if worker.id in seen.alive]
    able = sum(bool(worker.runner) for worker in alive)
    yield _gauge("workers_alive", "Workers that were heard of lately.", [((), float(len(alive)))])
    yield _gauge("workers_able", "Of them, those that can isolate a run.", [((), float(able))])
    budget, reserved = sum(one.memory_budget_mib for one in alive), sum(one.memory_reserved_mib for one in alive)
    yield _gauge("memory_budget_mib", "Memory that runs may have.", [((), float(budget))])
    yield _gauge("memory_reserved_mib", "Memory that runs have been promised.", [((), float(reserved))])


def _of_upkeep(seen: Operations) -> Iterable[Reading]:
    if seen.purge is None:
        return
    yield _gauge("purge_failures", "Failed purges since the last that succeeded.", [((), float(seen.purge.failures))])
    if seen.purge.succeeded_at is not None:
        age = (seen.at - seen.purge.succeeded_at).total_seconds()
        yield _gauge("purge_age_seconds", "Since a purge succeeded.", [((), age)])


def _streams(count: int) -> Reading:
    return _gauge("live_views", "Runs that are followed live.", [((), float(count))])


def _gauge(name: str, told: str, values: Sequence[tuple[tuple[str, ...], float]], *labels: str) -> Reading:
    return Reading(f"skriptoteket_{name}", told, "gauge", labels, values)
