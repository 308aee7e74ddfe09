"""Can any live worker ever run this? Fail closed: unknown names, unknown levels and stale records count as absent."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from skriptoteket.core.errors import RunnerUnavailable
from skriptoteket.core.runs.models import Limits
from skriptoteket.core.runs.ports.workers import Worker

LEVELS = {"soft": 1, "namespace": 1, "hard": 2, "yes": 2, "own": 2}
DEFAULT_REQUIREMENTS: Mapping[str, str] = {
    "network_isolation": "yes",
    "filesystem_isolation": "yes",
    "pid_isolation": "yes",
    "seccomp": "yes",
    "disk_quota": "hard",
    "memory_limit": "soft",
    "process_limit": "soft",
}
"""What every version needs at least; the operator and a version can only tighten it."""

_NO_WORKER_FIX = "Start the worker: skriptoteket worker"


def live(workers: Sequence[Worker], now: datetime, within: timedelta) -> tuple[Worker, ...]:
    """Workers that were heard of lately. A heartbeat from the future counts as heard of."""
    return tuple(worker for worker in workers if now - worker.heartbeat_at <= within)


def requirements_of(extra: Sequence[str]) -> dict[str, str]:
    """The default with what a version or the operator adds; an entry is ``name`` or ``name:level``."""
    wanted = dict(DEFAULT_REQUIREMENTS)
    for entry in extra:
        name, _, level = entry.partition(":")
        level = level or "yes"
        if LEVELS.get(level, 9) > LEVELS.get(wanted.get(name, ""), 0):
            wanted[name] = level
    return wanted


def missing(capabilities: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """The requirements that the capabilities do not meet, as ``name:level``."""
    return tuple(
        f"{name}:{level}"
        for name, level in wanted.items()
        if level not in LEVELS or LEVELS.get(capabilities.get(name, ""), 0) < LEVELS[level]
    )


def ensure_runnable(
    workers: Sequence[Worker], environment: str, limits: Limits, extra: Sequence[str], now: datetime, within: timedelta
) -> None:
    """Nothing, if a live worker can run it.

    Raises:
        RunnerUnavailable: names what is missing at the worker that lacks least, and the fix.
    """
    alive = [worker for worker in live(workers, now, within) if not worker.draining]
    if not alive:
        raise RunnerUnavailable(("no worker is running",), _NO_WORKER_FIX)
    wanted = requirements_of(extra)
    lacking = [(_lacks(worker, environment, limits, wanted), worker) for worker in alive]
    if any(not lacks for lacks, _ in lacking):
        return
    lacks, nearest = min(lacking, key=lambda pair: len(pair[0]))
    raise RunnerUnavailable(lacks, nearest.fix or "See what the host can isolate: skriptoteket doctor")


def _lacks(worker: Worker, environment: str, limits: Limits, wanted: Mapping[str, str]) -> tuple[str, ...]:
    if not worker.runner:
        return (worker.problem or "the host cannot isolate scripts",)
    lacks = list(missing(worker.capabilities, wanted)) if worker.runner != "unsafe" else []
    if environment not in worker.environments:
        lacks.append(f"environment {environment}")
    if limits.memory_mib > worker.memory_budget_mib:
        lacks.append(f"{limits.memory_mib} MiB of memory")
    return tuple(lacks)
