"""The order in which waiting runs start."""

from uuid import UUID

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.runs.ports.queue import Candidate
from skriptoteket.core.runs.queueing.fairness import Load, Occupied, next_run, start_order

TOOL = ToolId(UUID(int=1))


def waiting(number: int, user: str, lane: str = "interactive") -> Candidate:
    """A waiting run."""
    return Candidate(RunId(UUID(int=number)), lane, user, TOOL, 512, number)


def test_a_late_user_does_not_wait_behind_a_hundred_runs_of_another() -> None:
    """A has a hundred runs waiting, B submits one: B is the next or the second."""
    order = start_order([*(waiting(number, "a") for number in range(100)), waiting(100, "b")], Load())
    assert "b" in [run.user for run in order[:2]]


def test_no_lane_starves() -> None:
    """With full lanes, each gets its share of starts."""
    runs = [waiting(number, f"u{number}", ("interactive", "sandbox", "scheduled")[number % 3]) for number in range(90)]
    lanes = [run.lane for run in start_order(runs, Load())[:26]]
    assert {"interactive", "sandbox", "scheduled"} == set(lanes)
    assert lanes.count("interactive") > lanes.count("sandbox") > lanes.count("scheduled")


def test_remembered_starts_give_a_light_lane_its_turn() -> None:
    """One slot at a time: after many interactive starts the scheduled run is next."""
    runs = [waiting(1, "a"), waiting(2, "b", "scheduled")]
    assert getattr(next_run(runs, Load(recent=["interactive"] * 20)), "lane", None) == "scheduled"


def test_caps_hold_back() -> None:
    """A user with three active runs and a tool at its cap start nothing."""
    busy = [Occupied("a", TOOL, 512)] * 3
    assert None is next_run([waiting(1, "a")], Load(active=busy))
    assert None is next_run([waiting(1, "b")], Load(active=busy, max_parallel={TOOL: 3}))


def test_first_come_first_served_within_a_user() -> None:
    """One user's runs start in the order of submission."""
    order = start_order([waiting(3, "a"), waiting(1, "a"), waiting(2, "a")], Load())
    assert [run.order for run in order] == [1, 2, 3]
