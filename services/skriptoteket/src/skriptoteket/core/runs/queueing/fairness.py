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
    turn = _Turns(load)
    rest = startable(waiting, load)
    free = {run.run_id for run in rest}
    held_back = [run for run in waiting if run.run_id not in free]
    ordered: list[Candidate] = []
    while rest:
        chosen = turn.choose(rest)
        ordered.append(chosen)
        rest.remove(chosen)
        turn.take(chosen)
    return ordered + sorted(held_back, key=lambda run: run.order)


def next_run(waiting: Sequence[Candidate], load: Load) -> Candidate | None:
    """The one run that may start now, or ``None``."""
    free = startable(waiting, load)
    return _Turns(load).choose(free) if free else None


class _Turns:
    """Whose turn it is, after each start."""

    def __init__(self, load: Load) -> None:
        self._weights = load.weights
        self._lanes = Counter(load.recent)
        self._memory: Counter[str] = Counter()
        for run in load.active:
            self._memory[run.user] += run.memory_mib
        self._served = dict(load.served)
        self._clock = max(self._served.values(), default=0)

    def choose(self, rest: Sequence[Candidate]) -> Candidate:
        """The next of these."""
        lane = min({run.lane for run in rest}, key=lambda name: (self._share(name), name))
        return min(
            (run for run in rest if run.lane == lane),
            key=lambda run: (self._memory[run.user], self._served.get(run.user, 0), run.order),
        )

    def take(self, chosen: Candidate) -> None:
        """It starts."""
        self._clock += 1
        self._lanes[chosen.lane] += 1
        self._memory[chosen.user] += chosen.memory_mib
        self._served[chosen.user] = self._clock

    def _share(self, lane: str) -> float:
        return (self._lanes[lane] + 1) / self._weights.get(lane, 1)
