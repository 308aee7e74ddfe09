"""Where a waiting run stands and when it will start, by how long runs took lately."""

import heapq
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.ports.queue import Candidate, Timing
from skriptoteket.core.runs.ports.unit import RunUnit

_GUESS = 5.0
"""Seconds that a run takes as long as none was measured."""

_MEASURED = 100
"""How many of the latest runs are looked at."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a run stands in the queue: place in the real start order (1 is next), how many wait in its lane, and the
    seconds until it probably starts."""

    position: int
    lane: str
    waiting: int
    estimate_s: int


async def standing(unit: RunUnit, run_id: RunId, now: datetime) -> Waiting | None:
    """Where a run stands; ``None`` when it does not wait."""
    line = await unit.queue.line()
    position = next((place for place, each in enumerate(line, start=1) if each.run_id == run_id), None)
    if position is None:
        return None
    lane = line[position - 1].lane
    wait = expected_waits(line, await unit.queue.timings(_MEASURED), now)[position - 1]
    return Waiting(position, lane, sum(each.lane == lane for each in line), math.ceil(wait))


async def next_start(unit: RunUnit, user: str | None, now: datetime) -> float:
    """Seconds until a waiting run probably starts: the next of a user, or the next at all."""
    line = await unit.queue.line()
    waits = expected_waits(line, await unit.queue.timings(_MEASURED), now)
    return min((wait for each, wait in zip(line, waits, strict=True) if user in (None, each.user)), default=0.0)


def expected_waits(line: Sequence[Candidate], timings: Sequence[Timing], now: datetime) -> list[float]:
    """Seconds until each run of the line starts, if runs take as long as they did and as many run at once."""
    living = [each for each in timings if each.finished_at is None]
    took = _seconds(timings)
    left = [max(0.0, took(each) - (now - each.started_at).total_seconds()) for each in living]
    free = left + [0.0] * max(1 - len(left), _most_at_once(timings) - len(left))
    heapq.heapify(free)
    waits = []
    for each in line:
        waits.append(heapq.heappop(free))
        heapq.heappush(free, waits[-1] + took(each))
    return waits


def _seconds(timings: Sequence[Timing]) -> Callable[[Candidate | Timing], float]:
    """How long a run takes: the median of its tool, else of its lane, else of all."""
    measured: dict[object, list[float]] = {}
    for each in timings:
        if each.finished_at is not None:
            for group in (each.tool_id, each.lane, None):
                measured.setdefault(group, []).append((each.finished_at - each.started_at).total_seconds())
    medians = {group: median(found) for group, found in measured.items()}

    def took(run: Candidate | Timing) -> float:
        return next((medians[group] for group in (run.tool_id, run.lane, None) if group in medians), _GUESS)

    return took


def _most_at_once(timings: Iterable[Timing]) -> int:
    """How many of the runs lived at the same time."""
    steps = [(each.started_at, 1) for each in timings]
    steps += [(each.finished_at, -1) for each in timings if each.finished_at is not None]
    most = alive = 0
    for _, step in sorted(steps):
        alive += step
        most = max(most, alive)
    return most
