"""How often runs of a tool fail because of the tool."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.models import OutcomeCode
from skriptoteket.core.runs.ports.unit import RunUnit

WINDOW = timedelta(days=30)
"""How far back a tool's record goes."""

FAILURES = frozenset(
    {
        OutcomeCode.SCRIPT_ERROR,
        OutcomeCode.OUT_OF_MEMORY,
        OutcomeCode.OUTPUT_LIMIT,
        OutcomeCode.DISK_LIMIT,
        OutcomeCode.CONTRACT_VIOLATION,
        OutcomeCode.TIMEOUT,
    }
)
"""What the tool is to blame for."""

_ANSWERS = FAILURES | {OutcomeCode.OK, OutcomeCode.INPUT_REFUSED}


@dataclass(frozen=True, slots=True)
class Record:
    """Runs that came to an end of their own in the window, and how many of them failed."""

    runs: int
    failed: int

    @property
    def failure_rate(self) -> float | None:
        """From 0 to 1; ``None`` when nothing ran."""
        return self.failed / self.runs if self.runs else None


class Reliability:
    """The question how well tools do. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[RunUnit], clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def of(self, tools: Collection[ToolId]) -> Mapping[ToolId, Record]:
        """The record of each tool. Cancelled and lost runs, and those that the service could not run, do not count."""
        async with self._work.read() as unit:
            found = await unit.runs.outcomes_of_tools(tools, self._clock.now() - WINDOW)
        return {tool: _record(found.get(tool, {})) for tool in tools}


def _record(outcomes: Mapping[str, int]) -> Record:
    runs = sum(count for outcome, count in outcomes.items() if outcome in _ANSWERS)
    return Record(runs, sum(count for outcome, count in outcomes.items() if outcome in FAILURES))
