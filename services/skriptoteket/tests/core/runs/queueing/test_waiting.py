"""When a waiting run starts, by how long runs took lately."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.runs.ports.queue import Candidate, Timing
from skriptoteket.core.runs.queueing.waiting import expected_waits

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SLOW, FAST, NEW = (ToolId(UUID(int=number)) for number in (1, 2, 3))


def line(*tools: ToolId, lane: str = "interactive") -> list[Candidate]:
    """Runs of these tools, waiting."""
    return [Candidate(RunId(uuid4()), lane, "urn:a", tool, 512, place) for place, tool in enumerate(tools)]


def took(tool: ToolId, *seconds: float, lane: str = "interactive") -> list[Timing]:
    """Runs that are over, one after the other and none beside another tool's."""
    ends = [NOW - timedelta(hours=each, minutes=tool.int * 10) for each in range(1, len(seconds) + 1)]
    return [Timing(tool, lane, end - timedelta(seconds=each), end) for end, each in zip(ends, seconds, strict=True)]


def lives(tool: ToolId, since: float) -> Timing:
    """A run that is being executed."""
    return Timing(tool, "interactive", NOW - timedelta(seconds=since), None)


def waits(runs: Sequence[Candidate], timings: Sequence[Timing]) -> list[float]:
    """Seconds until each starts."""
    return expected_waits(runs, timings, NOW)


def test_a_run_waits_for_those_before_it() -> None:
    """Each takes the median of its tool; what runs now has only its rest left, or nothing when it is late."""
    timings = [*took(SLOW, 40, 60, 1000), *took(FAST, 2)]
    assert waits(line(SLOW, FAST, FAST), timings) == [0, 60, 62]
    assert waits(line(SLOW, FAST), [*timings, lives(SLOW, 15)]) == [45, 105]
    assert waits(line(FAST), [*timings, lives(SLOW, 300)]) == [0]


def test_as_many_run_at_once_as_did() -> None:
    """Two that lived side by side mean two places; a tool nobody ran yet takes what its lane does, else a guess."""
    beside = [Timing(FAST, "interactive", NOW - timedelta(seconds=30), NOW - timedelta(seconds=10))] * 2
    assert waits(line(NEW, NEW, NEW), beside) == [0, 0, 20]
    assert waits(line(NEW, NEW, lane="scheduled"), took(FAST, 20)) == [0, 20]
    assert waits(line(NEW, NEW, lane="scheduled"), [*took(FAST, 20), *took(SLOW, 7, lane="scheduled")]) == [0, 7]
    assert waits(line(NEW, NEW, NEW), []) == [0, 5, 10]
