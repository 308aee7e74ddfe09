"""Whether a run may wait: a worker that can do it, and room in the queue."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from skriptoteket.core.errors import QueueFull, TooManyRuns
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.runs.queueing.matching import ensure_runnable
from skriptoteket.core.runs.queueing.waiting import next_start

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
