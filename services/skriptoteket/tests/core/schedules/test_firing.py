"""Due times: each once across workers, never beside a run that lives, and only while the owner may."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, NotFound, RunnerUnavailable, ValidationFailed
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Ended, Outcome, OutcomeCode, Run, RunKind, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.ports.records import RunFilter
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.admission import AdmissionRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.core.schedules.firing import Firing
from skriptoteket.core.schedules.models import OccurrenceStatus, Pause, Schedule
from skriptoteket.core.schedules.planning import Planning, Times, WantedSchedule
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

OWNER = "urn:fsp:person:owner"
W = WorkerId("w")
EVERY_HOUR = Times("0 * * * *", "Europe/Stockholm")
FIELD: dict[str, JsonValue] = {"kind": "string", "name": "who", "required": True}


class Bell:
    """Rings nowhere."""

    async def ring(self, run_id: RunId) -> None:
        """Nobody hears it."""


class Rights:
    """Everybody may, until told otherwise."""

    may = True

    async def may_schedule(self, subject: str) -> bool:
        """The same for all."""
        return self.may


class Yard:
    """A tool that can be run, a live worker, and the verbs of schedules."""

    def __init__(self, work: Any, clock: StandingClock) -> None:  # Any: either unit of work
        self.work, self.clock, self.ids, self.rights = work, clock, TimeOrderedIds(), Rights()
        self.planning = Planning(work, clock)
        self.rules = AdmissionRules()
        self.firing = self.another()
        self.tool = ToolId(self.ids.new())

    def another(self) -> Firing:
        """As another process has it."""
        return Firing(self.work, self.clock, self.ids, Bell(), self.rules)

    async def prepare(self) -> None:
        """Publish the tool and let a worker live for long."""
        now = self.clock.now()
        behaviour = Behaviour(source_code="x = 1\n", input_schema=(FIELD,))
        version = ToolVersion(
            VersionId(self.ids.new()), self.tool, 1, VersionState.ACTIVE, behaviour, content_hash(behaviour),
            behaviour_hash(behaviour), OWNER, now,
        )  # fmt: skip
        alive = now + timedelta(days=400)
        worker = Worker(W, "h", "b", 1, 0.0, "1", "test", DEFAULT_REQUIREMENTS, ("standard@1",), 4096, 0, False, now, alive)  # fmt: skip  # noqa: E501
        tool = Tool(self.tool, "tool", "Tool", "", OWNER, now, now, is_visible=True)
        async with self.work.write() as unit:
            await unit.tools.add(tool)
            await unit.versions.add(version)
            await unit.tools.update(replace(tool, active_version_id=version.id))
            await unit.workers.save(worker)

    async def schedule(self, times: Times = EVERY_HOUR) -> Schedule:
        """One of the owner's."""
        wanted = WantedSchedule(self.ids.new(), "tool", OWNER, times, {"who": "x"})
        return await self.planning.make(wanted)

    async def runs(self) -> list[Run]:
        """Every run, newest first."""
        async with self.work.read() as unit:
            return list(await unit.runs.page(RunFilter(), 100))

    async def end(self, code: OutcomeCode) -> None:
        """Let the waiting run end so."""
        rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
        async with self.work.write() as unit:
            run = await unit.queue.claim(W, rules, self.clock.now(), timedelta(minutes=5))
        for state in (RunState.RUNNING, RunState.COLLECTING):
            async with self.work.write() as unit:
                run = await unit.queue.move(run.claim, state, self.clock.now())
        async with self.work.write() as unit:
            await unit.queue.finish(run.claim, Ended(Outcome(code)), self.clock.now())

    async def hour(self) -> int:
        """An hour later, one round."""
        self.clock.pass_(hours=1)
        return await self.firing.fire(self.rights)

    async def seen(self, schedule: Schedule) -> Any:
        """As it is now."""
        return await self.planning.see(schedule.id, OWNER)


@pytest.fixture
async def yard(work: Any, clock: StandingClock) -> Yard:
    """A tool and a worker on each kind of store."""
    made = Yard(work, clock)
    await made.prepare()
    return made


async def test_three_workers_fire_a_due_time_once(yard: Yard) -> None:
    """Nothing before it is due; then one run in the owner's name, whoever was first."""
    made = await yard.schedule()
    assert datetime(2026, 3, 2, 9, 0, tzinfo=UTC) == made.next_due_at
    assert await yard.firing.fire(yard.rights) == 0
    yard.clock.pass_(hours=1, minutes=1)
    rounds = [yard.another().fire(yard.rights) for _ in range(3)]
    assert sum(await asyncio.gather(*rounds)) == 1
    [run] = await yard.runs()
    assert (RunKind.SCHEDULED, "scheduled", OWNER, made.id) == (run.kind, run.lane, run.requested_by, run.schedule_id)
    assert run.values == {"who": "x"}
    seen = await yard.seen(made)
    assert [(OccurrenceStatus.STARTED, run.id)] == [(each.status, each.run_id) for each in seen.history]
    assert datetime(2026, 3, 2, 10, 0, tzinfo=UTC) == seen.schedule.next_due_at


async def test_missed_times_fire_once(yard: Yard) -> None:
    """After a day without workers one run starts, not twenty-four."""
    made = await yard.schedule()
    yard.clock.pass_(hours=24)
    assert [await yard.firing.fire(yard.rights) for _ in range(2)] == [1, 0]
    assert (await yard.seen(made)).schedule.next_due_at > yard.clock.now()


async def test_a_due_time_beside_a_living_run_is_skipped(yard: Yard) -> None:
    """It is recorded as skipped, and the next one fires when the run is over."""
    made = await yard.schedule()
    assert [await yard.hour() for _ in range(2)] == [1, 0]
    assert (await yard.seen(made)).history[0].status == OccurrenceStatus.SKIPPED
    await yard.end(OutcomeCode.OK)
    assert await yard.hour() == 1


async def test_a_lost_right_pauses(yard: Yard) -> None:
    """The owner is asked about anew, told why, and may resume when the right is back."""
    made = await yard.schedule()
    yard.rights.may = False
    assert await yard.hour() == 0
    seen = await yard.seen(made)
    assert (seen.schedule.pause, seen.schedule.next_due_at) == (Pause.NOT_ALLOWED, None)
    assert "no longer" in seen.history[0].detail
    yard.rights.may = True
    await yard.planning.resume(made.id, OWNER)
    assert await yard.hour() == 1


async def test_a_hidden_tool_and_input_that_no_longer_fits_pause(yard: Yard) -> None:
    """Each with its reason; the fields are named."""
    made = await yard.schedule()
    async with yard.work.write() as unit:
        await unit.tools.update(replace(await unit.tools.get(yard.tool), is_visible=False))
    await yard.hour()
    assert (await yard.seen(made)).schedule.pause == Pause.NOT_RUNNABLE
    async with yard.work.write() as unit:
        await unit.tools.update(replace(await unit.tools.get(yard.tool), is_visible=True))
        await unit.schedules.update(replace(await unit.schedules.get(made.id), values={"old": "x"}))
    await yard.planning.resume(made.id, OWNER)
    await yard.hour()
    found = (await yard.seen(made)).schedule
    assert (found.pause, len(found.problems)) == (Pause.INPUT, 2)
    assert any(each.startswith("who: ") for each in found.problems)


async def test_three_failures_in_a_row_pause(yard: Yard) -> None:
    """A success in between begins the count anew."""
    made = await yard.schedule()
    bad, good = OutcomeCode.SCRIPT_ERROR, OutcomeCode.OK
    for code in (bad, bad, good, bad, bad):
        assert await yard.hour() == 1
        await yard.end(code)
    assert await yard.hour() == 1
    await yard.end(bad)
    assert await yard.hour() == 0
    seen = await yard.seen(made)
    assert (seen.schedule.pause, seen.schedule.consecutive_failures, seen.next_times) == (Pause.FAILURES, 3, [])
    resumed = await yard.planning.resume(made.id, OWNER)
    assert (resumed.enabled, resumed.consecutive_failures) == (True, 0)


async def test_without_room_a_due_time_waits(yard: Yard) -> None:
    """No live worker: nothing is started or lost; when one is back it fires once."""
    made = await yard.schedule()
    async with yard.work.write() as unit:
        worker = (await unit.workers.all())[0]
        await unit.workers.remove(W)
    assert [await yard.hour() for _ in range(2)] == [0, 0]
    with pytest.raises(RunnerUnavailable):
        await yard.firing.run_now(made.id, OWNER)
    async with yard.work.write() as unit:
        await unit.workers.save(worker)
    assert [await yard.firing.fire(yard.rights) for _ in range(2)] == [1, 0]


async def test_it_ends(yard: Yard) -> None:
    """After its last run, and after its end; resuming is refused until the end is later."""
    once = await yard.schedule(Times("0 * * * *", "UTC", max_runs=1))
    until = await yard.schedule(Times("0 * * * *", "UTC", ends_at=yard.clock.now() + timedelta(minutes=30)))
    assert await yard.hour() == 1
    for made in (once, until):
        assert (await yard.seen(made)).schedule.pause == Pause.OVER
        with pytest.raises(Conflict):
            await yard.planning.resume(made.id, OWNER)
    await yard.planning.change(once.id, OWNER, Times("0 * * * *", "UTC", max_runs=2))
    assert (await yard.planning.resume(once.id, OWNER)).enabled


async def test_run_now(yard: Yard) -> None:
    """Once beside its times; not twice at the same time, and not by somebody else."""
    made = await yard.schedule()
    run = await yard.firing.run_now(made.id, OWNER)
    assert made.id == run.schedule_id
    with pytest.raises(Conflict):
        await yard.firing.run_now(made.id, OWNER)
    with pytest.raises(NotFound):
        await yard.firing.run_now(made.id, "urn:else")


async def test_an_owner_pauses_changes_and_removes(yard: Yard) -> None:
    """Paused it does not fire; changed it is due anew; removed it is gone, for its owner and for everybody."""
    made = await yard.schedule()
    await yard.planning.pause(made.id, OWNER)
    assert await yard.hour() == 0
    await yard.planning.resume(made.id, OWNER)
    changed = await yard.planning.change(made.id, OWNER, Times("30 12 * * *", "UTC"), {"who": "y"})
    assert (datetime(2026, 3, 2, 12, 30, tzinfo=UTC), {"who": "y"}) == (changed.next_due_at, changed.values)
    with pytest.raises(ValidationFailed):
        await yard.planning.change(made.id, OWNER, EVERY_HOUR, {"nobody": "y"})
    with pytest.raises(NotFound):
        await yard.planning.remove(made.id, "urn:else")
    assert [made.id] == [each.schedule.id for each in await yard.planning.mine(OWNER)]
    await yard.planning.remove(made.id, OWNER)
    assert await yard.planning.mine(OWNER) == []


async def test_what_is_wrong_is_told_together(yard: Yard) -> None:
    """Times, values and the twenty-first schedule of an owner."""
    wanted = WantedSchedule(yard.ids.new(), "tool", OWNER, Times("x", "y", yard.clock.now(), 0), {"odd": 1})
    with pytest.raises(ValidationFailed) as refused:
        await yard.planning.make(wanted)
    assert {"cron", "timezone", "ends_at", "max_runs", "odd", "who"} == {each.field for each in refused.value.issues}
    for _ in range(20):
        await yard.schedule(Times("0 0 1 1 *", "UTC"))
    with pytest.raises(ValidationFailed) as refused:
        await yard.schedule()
    assert [each.field for each in refused.value.issues] == ["schedules"]


async def test_whoever_leaves_leaves_no_schedule(yard: Yard) -> None:
    """Rows and history go with the owner; what due times came to goes with time."""
    made = await yard.schedule()
    await yard.hour()
    async with yard.work.write() as unit:
        assert await unit.schedules.forget_history(yard.clock.now()) == 1 or await unit.schedules.forget_history(
            yard.clock.now() + timedelta(seconds=1)
        )
        assert (await unit.schedules.known(made.id), await unit.schedules.forget(OWNER)) == (True, 1)
        assert not await unit.schedules.known(made.id)
