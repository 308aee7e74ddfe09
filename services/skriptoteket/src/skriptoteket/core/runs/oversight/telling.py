"""What workers and the operator did that has to be audited: they have no audit trail, the web process tells for them.

A fact may be told twice, when the process dies between telling it and noting that it did; none is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.execution import MISMATCH
from skriptoteket.core.runs.models import OutcomeCode, Run
from skriptoteket.core.runs.ports.records import RunFilter, Upkeep
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.ports.workers import Worker

_TOLD, _TIMES = "told", "keeping_times"
_MOST = 100
_OVERLAP = timedelta(minutes=10)
"""How late the row of something that happened may be written."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, in the words of the audit trail."""

    action: str
    actor: str
    resource: str
    outcome: str = "success"
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class News:
    """Facts that were not told yet, and the keys of everything recent, to be noted when they are."""

    facts: Sequence[Fact]
    keys: Mapping[str, int]


class Telling:
    """The verbs *look what happened* and *note that it was told*. ``times`` are the retention settings, in hours."""

    def __init__(self, work: UnitOfWork[RunUnit], clock: Clock, times: Mapping[str, int]) -> None:
        self._work = work
        self._clock = clock
        self._times = dict(times)

    async def news(self) -> News:
        """What happened that nobody told of; what was written late is found too."""
        now = self._clock.now()
        async with self._work.read() as unit:
            told, times = await unit.runs.upkeep(_TOLD), await unit.runs.upkeep(_TIMES)
            workers = await unit.workers.all()
            wanted = RunFilter(outcomes=frozenset({OutcomeCode.INFRASTRUCTURE}))
            runs = await unit.runs.page(wanted, _MOST)
        known = told.counts if told is not None else {}
        since = (told.tried_at if told is not None else now) - _OVERLAP
        found = {f"worker {worker.id}": _started(worker) for worker in workers}
        for run in runs:
            if MISMATCH in run.author_detail and run.finished_at is not None and run.finished_at > since:
                found[f"run {run.id}"] = _refused(run)
        facts = [fact for key, fact in found.items() if key not in known]
        if times is not None and dict(times.counts) != self._times:
            facts.append(_moved(times.counts, self._times))
        return News(facts, dict.fromkeys(found, 1))

    async def note(self, news: News) -> None:
        """All of it was told."""
        now = self._clock.now()
        async with self._work.write() as unit:
            await unit.runs.keep_upkeep(Upkeep(_TOLD, now, now, 0, news.keys))
            await unit.runs.keep_upkeep(Upkeep(_TIMES, now, now, 0, self._times))


def _started(worker: Worker) -> Fact:
    details = {"runner": worker.runner, "capabilities": dict(worker.capabilities)}
    return Fact("worker.started", f"urn:skriptoteket:worker:{worker.id}", worker.host_id, details=details)


def _refused(run: Run) -> Fact:
    return Fact("run.refused", "urn:skriptoteket:worker", str(run.id), "failed", {"why": MISMATCH})


def _moved(before: Mapping[str, int], after: Mapping[str, int]) -> Fact:
    changed = {name: [before.get(name), kept] for name, kept in after.items() if before.get(name) != kept}
    return Fact("retention.changed", "urn:skriptoteket:operator", "settings", details=changed)
