"""Which waiting run starts next: lanes by weight, users by turn, first come first served within a user."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.runs.models import Lane

LANE_WEIGHTS: Mapping[str, int] = {Lane.INTERACTIVE: 8, Lane.SANDBOX: 4, Lane.SCHEDULED: 1}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A waiting run, as much of it as the order needs. ``order`` grows with the time of submission."""

    run_id: RunId
    lane: str
    user: str
    tool_id: ToolId
    memory_mib: int
    order: int


@dataclass(frozen=True, slots=True)
class Occupied:
    """A run that is being executed, or was started before: what it weighs on its user and lane."""

    user: str
    tool_id: ToolId
    lane: str
    memory_mib: int


def start_order(
    waiting: Sequence[Candidate],
    active: Sequence[Occupied],
    last_served: Mapping[str, int],
    weights: Mapping[str, int] | None = None,
    max_active_per_user: int = 3,
    max_parallel: Mapping[ToolId, int] | None = None,
) -> list[Candidate]:
    """The waiting runs in the order in which they will start; those whose user or tool is at its cap come last.

    A lane's turn comes by smallest (runs of it in progress + 1) / weight; inside a lane the user with the least memory
    in use,
    then the one served longest ago (``last_served``: order number of the user's latest start), then the oldest run.
    """
    used = weights or LANE_WEIGHTS
    turns = Counter(run.lane for run in active)
    memory: Counter[str] = Counter()
    running = Counter(run.user for run in active)
    tools = Counter(run.tool_id for run in active)
    for run in active:
        memory[run.user] += run.memory_mib
    served = dict(last_served)
    rest = list(waiting)
    caps = max_parallel or {}
    ordered: list[Candidate] = []
    clock = max(served.values(), default=0)
    while rest:
        free = [
            run
            for run in rest
            if running[run.user] < max_active_per_user
            and tools[run.tool_id] < caps.get(run.tool_id, len(waiting) + 1_000)
        ]
        if not free:
            ordered.extend(sorted(rest, key=lambda run: run.order))
            break
        lane = min({run.lane for run in free}, key=lambda name: ((turns[name] + 1) / used.get(name, 1), name))
        chosen = min(
            (run for run in free if run.lane == lane),
            key=lambda run: (memory[run.user], served.get(run.user, 0), run.order),
        )
        ordered.append(chosen)
        rest.remove(chosen)
        clock += 1
        turns[lane] += 1
        memory[chosen.user] += chosen.memory_mib
        served[chosen.user] = clock
    return ordered


def next_run(
    waiting: Sequence[Candidate],
    active: Sequence[Occupied],
    last_served: Mapping[str, int],
    weights: Mapping[str, int] | None = None,
    max_active_per_user: int = 3,
    max_parallel: Mapping[ToolId, int] | None = None,
) -> Candidate | None:
    """The one run that may start now, or ``None``: the head of :func:`start_order` without those at a cap."""
    running = Counter(run.user for run in active)
    tools = Counter(run.tool_id for run in active)
    caps = max_parallel or {}
    free = [
        run
        for run in waiting
        if running[run.user] < max_active_per_user and tools[run.tool_id] < caps.get(run.tool_id, 1_000_000)
    ]
    return start_order(free, active, last_served, weights, 1_000_000)[0] if free else None
