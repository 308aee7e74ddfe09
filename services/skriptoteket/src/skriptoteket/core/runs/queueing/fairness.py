"""Which waiting run starts next: lanes by weight, users by turn, first come first served within a user."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.runs.models import Lane
from skriptoteket.core.runs.ports.queue import Candidate

LANE_WEIGHTS: Mapping[str, int] = {Lane.INTERACTIVE: 8, Lane.SANDBOX: 4, Lane.SCHEDULED: 1}
RECENT_STARTS = 3 * sum(LANE_WEIGHTS.values())
"""How many of the latest starts are remembered, so that a lane with little weight still gets its turn."""


@dataclass(frozen=True, slots=True)
class Occupied:
    """A run that is being executed: what it weighs on its user and its tool."""

    user: str
    tool_id: ToolId
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Load:
    """What the order depends on beside the waiting runs.

    ``recent`` are the lanes of the latest starts; ``served`` is the place of each user's latest start in time, later
    is bigger.
    """

    active: Sequence[Occupied] = ()
    recent: Sequence[str] = ()
    served: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=lambda: LANE_WEIGHTS)
    max_active_per_user: int = 3
    max_parallel: Mapping[ToolId, int] = field(default_factory=dict)


def startable(waiting: Sequence[Candidate], load: Load) -> list[Candidate]:
    """The waiting runs that no cap holds back."""
    users = Counter(run.user for run in load.active)
    tools = Counter(run.tool_id for run in load.active)
    return [
        run
        for run in waiting
        if users[run.user] < load.max_active_per_user
        and (run.tool_id not in load.max_parallel or tools[run.tool_id] < load.max_parallel[run.tool_id])
    ]


def start_order(waiting: Sequence[Candidate], load: Load) -> list[Candidate]:
    """The waiting runs in the order in which they will start; those that a cap holds back come last.

    The lane with the smallest (recent starts + 1) / weight has its turn; inside a lane the user with the least memory
    in use,
    then the one served longest ago, then the oldest run.
    """
    turns = Counter(load.recent)
    memory: Counter[str] = Counter()
    for run in load.active:
        memory[run.user] += run.memory_mib
    served = dict(load.served)
    clock = max(served.values(), default=0)
    rest = startable(waiting, load)
    held_back = [run for run in waiting if run not in set(rest)]
    ordered: list[Candidate] = []
    while rest:
        lane = min({run.lane for run in rest}, key=lambda name: ((turns[name] + 1) / load.weights.get(name, 1), name))
        chosen = min(
            (run for run in rest if run.lane == lane),
            key=lambda run: (memory[run.user], served.get(run.user, 0), run.order),
        )
        ordered.append(chosen)
        rest.remove(chosen)
        clock += 1
        turns[lane] += 1
        memory[chosen.user] += chosen.memory_mib
        served[chosen.user] = clock
    return ordered + sorted(held_back, key=lambda run: run.order)


def next_run(waiting: Sequence[Candidate], load: Load) -> Candidate | None:
    """The one run that may start now, or ``None``."""
    free = startable(waiting, load)
    return start_order(free, load)[0] if free else None
