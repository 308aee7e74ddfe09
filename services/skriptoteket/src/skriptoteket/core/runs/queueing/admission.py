"""Whether a run may wait: a worker that can do it, and room in the queue."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from skriptoteket.core.errors import QueueFull, TooManyRuns
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.queueing.matching import ensure_runnable
from skriptoteket.core.runs.queueing.waiting import next_start
from skriptoteket.core.versions.behaviour import LIMIT_CEILINGS, Ceilings

_LONGEST_PATIENCE = 120
"""Seconds after which asking again is worth it, however long the queue."""


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """How much may wait, and what a worker must offer."""

    max_queue_depth: int = 500
    max_queued_per_user: int = 10
    queue_deadline: timedelta = timedelta(seconds=900)
    worker_alive: timedelta = timedelta(seconds=30)
    require: tuple[str, ...] = ()
    default_limits: Limits = field(default_factory=Limits)
    trial_seconds: int = 60
    ceilings: Ceilings = field(default_factory=lambda: LIMIT_CEILINGS)

    def limits(self, asked: Mapping[str, JsonValue]) -> Limits:
        """What a run may use: the operator's limits, with what its version asks for, and never more than the operator
        allows by now."""
        return self.clipped(replace(self.default_limits, **{**asked}))  # type: ignore[arg-type]  # checked when saved

    def clipped(self, limits: Limits) -> Limits:
        """The limits where they are no higher than the ceilings, else these."""
        lowered = {name: min(getattr(limits, name), high) for name, (_, high) in self.ceilings.items()}
        return replace(limits, **lowered)


async def ensure_room(
    unit: RunUnit,
    rules: AdmissionRules,
    wanted: tuple[str, Limits, Sequence[str]],
    requested_by: str,
    now: datetime,
) -> None:
    """Refuse what could not run or would wait too long; ``wanted`` is environment, limits and requirements.

    Raises:
        RunnerUnavailable, TooManyRuns, QueueFull.
    """
    environment, limits, requirements = wanted
    extra = (*rules.require, *requirements)
    ensure_runnable(await unit.workers.all(), environment, limits, extra, now, rules.worker_alive)
    if await unit.queue.depth(requested_by) >= rules.max_queued_per_user:
        raise TooManyRuns(rules.max_queued_per_user, _patience(await next_start(unit, requested_by, now)))
    if await unit.queue.depth() >= rules.max_queue_depth:
        raise QueueFull(rules.max_queue_depth, _patience(await next_start(unit, None, now)))


def _patience(seconds: float) -> int:
    return min(_LONGEST_PATIENCE, max(1, math.ceil(seconds)))
