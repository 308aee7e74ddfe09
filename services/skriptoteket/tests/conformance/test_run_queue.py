"""What any RunQueue does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, Fenced, IllegalMove, NotFound
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.runs.models import (
    Artifact,
    Ended,
    InputFile,
    Lane,
    Outcome,
    OutcomeCode,
    Run,
    RunContext,
    RunKind,
    RunState,
    StreamText,
)
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

LEASE = timedelta(seconds=30)
RULES = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
ONE, TWO = WorkerId("one"), WorkerId("two")
DONE = Ended(
    Outcome(OutcomeCode.OK),
    outputs=({"kind": "notice", "level": "info", "message": "hej"},),
    artifacts=(Artifact("a_txt", "a.txt", 1, "0" * 64, "text/plain", "k"),),
    stdout=StreamText("out\x00", 4, 0),
)


class Queue:
    """A library with one tool, and ways to put runs in and take them out."""

    def __init__(self, work: Any, clock: Any) -> None:
        self.work, self.clock, self.ids = work, clock, TimeOrderedIds()
        self.tool = ToolId(uuid4())

    async def add(self, user: str = "urn:a", **parts: Any) -> Run:
        """A queued run."""
        now = self.clock.now()
        file = InputFile("f", "a.csv", "a.csv", 1, "0" * 64, "runs/x/inputs/0")
        run = Run(
            RunId(self.ids.new()), RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.QUEUED,
            self.tool, None, None, "h", user, now, "standard@1", files=(file,),
            queue_deadline=now + timedelta(minutes=15),
        )  # fmt: skip
        run = replace(run, **parts)
        async with self.work.write() as unit:
            await unit.runs.add(run)
        return run

    async def claim(self, worker: WorkerId = ONE, lease: timedelta = LEASE, rules: ClaimRules = RULES) -> Any:
        """The next run."""
        async with self.work.write() as unit:
            return await unit.queue.claim(worker, rules, self.clock.now(), lease)

    async def move(self, run: Run, *states: RunState) -> Run:
        """Through these states under the run's own claim."""
        for state in states:
            async with self.work.write() as unit:
                run = await unit.queue.move(run.claim, state, self.clock.now(), runner="test")
        return run

    async def get(self, run_id: RunId) -> Run:
        """As it stands now."""
        async with self.work.read() as unit:
            found: Run = await unit.runs.get(run_id)
            return found


@pytest.fixture
async def queue(work: Any, clock: Any) -> Queue:
    """An empty queue of each kind."""
    made = Queue(work, clock)
    now = clock.now()
    async with work.write() as unit:
        await unit.tools.add(Tool(made.tool, "tool", "Tool", "", "urn:owner", now, now))
    return made


async def test_a_run_goes_through_its_life(queue: Queue) -> None:
    """Claimed, started, collected, finished: with times, results, logs and no uploads left in the row."""
    added = await queue.add()
    run = await queue.claim()
    assert (added.id, RunState.STARTING, 1, ONE) == (run.id, run.state, run.attempt, run.lease_owner)
    run = await queue.move(run, RunState.RUNNING, RunState.COLLECTING)
    async with queue.work.write() as unit:
        await unit.queue.finish(run.claim, DONE, queue.clock.now())
    ended = await queue.get(run.id)
    assert (ended.state, ended.outcome, ended.runner) == (RunState.SUCCEEDED, OutcomeCode.OK, "test")
    assert ended.requested_at <= ended.started_at <= ended.finished_at  # type: ignore[operator]  # both are set
    assert (ended.lease_owner, [file.blob_key for file in ended.files]) == (None, [None])
    async with queue.work.read() as unit:
        assert DONE.artifacts == tuple(await unit.runs.artifacts(run.id))
        assert "out" in (await unit.runs.logs(run.id)).stdout.text
    assert None is await queue.claim()


async def test_a_lane_that_is_held_back_starts_nothing(queue: Queue) -> None:
    """Its oldest run waits while others start, and starts when the lane is free again."""
    nightly = await queue.add(lane=Lane.SCHEDULED)
    mine = await queue.add()
    holding = replace(RULES, held_back=frozenset({Lane.SCHEDULED}))
    started = [await queue.claim(rules=holding) for _ in range(2)]

    assert [run and run.id for run in (*started, await queue.claim())] == [mine.id, None, nightly.id]


async def test_a_claim_is_given_once(queue: Queue) -> None:
    """One run, two workers: one gets it."""
    await queue.add()
    assert (await queue.claim(ONE) is not None, await queue.claim(TWO) is None) == (True, True)


async def test_illegal_moves_raise(queue: Queue) -> None:
    """A starting run cannot be collected, and cannot succeed."""
    await queue.add()
    run = await queue.claim()
    with pytest.raises(IllegalMove):
        await queue.move(run, RunState.COLLECTING)
    async with queue.work.write() as unit:
        with pytest.raises(IllegalMove):
            await unit.queue.finish(run.claim, DONE, queue.clock.now())


async def test_a_returned_claim_is_no_try(queue: Queue) -> None:
    """Given back before the script was released, the run waits again with a new fencing token ahead."""
    await queue.add()
    back = await queue.move(await queue.claim(), RunState.QUEUED)
    again = await queue.claim(TWO)
    assert (back.tries, again.attempt, again.tries) == (0, 2, 1)


async def test_a_fenced_worker_writes_nothing(queue: Queue) -> None:
    """Once the lease is over and the run was rescued, the old claim can neither move nor finish it."""
    added = await queue.add()
    run = await queue.claim(lease=timedelta(seconds=-1))
    async with queue.work.write() as unit:
        orphans = await unit.queue.orphans()
        assert [added.id] == [orphan.id for orphan in orphans]
        await unit.queue.rescue(orphans[0], 2, queue.clock.now())
        assert list(await unit.queue.renew([run.claim], LEASE)) == []
    with pytest.raises(Fenced):
        await queue.move(run, RunState.RUNNING)
    ended = await queue.get(run.id)
    assert (ended.state, ended.outcome) == (RunState.LOST, OutcomeCode.LOST)


async def test_an_idempotent_orphan_runs_again_until_its_tries_are_used(queue: Queue) -> None:
    """It is queued again once, then lost."""
    added = await queue.add(idempotent=True)
    for expected in (RunState.QUEUED, RunState.LOST):
        await queue.claim()
        async with queue.work.write() as unit:
            [orphan] = await unit.queue.orphans({ONE})
            assert expected == (await unit.queue.rescue(orphan, 2, queue.clock.now())).state
    assert (await queue.get(added.id)).state == RunState.LOST


async def test_renewed_leases_keep_a_run(queue: Queue) -> None:
    """A worker that renews has no orphans."""
    await queue.add()
    run = await queue.claim(lease=timedelta(seconds=-1))
    async with queue.work.write() as unit:
        assert [run.claim] == list(await unit.queue.renew([run.claim], LEASE))
        assert list(await unit.queue.orphans()) == []


async def test_cancelling(queue: Queue) -> None:
    """Queued at once, running by a flag, over not at all, unknown not found."""
    first, second = await queue.add(), await queue.add("urn:b")
    run = await queue.claim()
    other = second if run.id == first.id else first
    now = queue.clock.now()
    async with queue.work.write() as unit:
        assert (await unit.queue.request_cancel(other.id, "user", now)).state == RunState.CANCELLED
        assert (await unit.queue.request_cancel(run.id, "user", now)).cancel_requested
        assert [run.claim] == list(await unit.queue.cancel_requested([run.claim]))
        with pytest.raises(Conflict):
            await unit.queue.request_cancel(other.id, "user", now)
        with pytest.raises(NotFound):
            await unit.queue.request_cancel(RunId(uuid4()), "user", now)


async def test_waiting_too_long_ends_a_run(queue: Queue) -> None:
    """Past its queue deadline a run is timed out without having started."""
    added = await queue.add()
    queue.clock.pass_(minutes=16)
    async with queue.work.write() as unit:
        assert [added.id] == [run.id for run in await unit.queue.overdue(queue.clock.now())]
    ended = await queue.get(added.id)
    assert (ended.state, ended.outcome, ended.started_at) == (RunState.TIMED_OUT, OutcomeCode.QUEUE_TIMEOUT, None)


async def test_fair_start_and_place(queue: Queue) -> None:
    """The only run of a second user is placed and claimed before the tenth of the first."""
    for _ in range(10):
        await queue.add("urn:a")
    late = await queue.add("urn:b")
    async with queue.work.read() as unit:
        place = [each.run_id for each in await unit.queue.line()].index(late.id)
        assert (await unit.queue.depth(), await unit.queue.depth("urn:a"), await unit.queue.depth("urn:b")) == (
            11,
            10,
            1,
        )
    assert place < 2
    assert late.id in [(await queue.claim()).id for _ in range(2)]


@pytest.mark.parametrize(
    "rules",
    [
        replace(RULES, environments=frozenset({"other@1"})),
        replace(RULES, memory_mib=128),
        replace(RULES, capabilities={**DEFAULT_REQUIREMENTS, "seccomp": "unheard of"}),
    ],
)
async def test_a_worker_takes_only_what_it_can_run(queue: Queue, rules: ClaimRules) -> None:
    """Environment, memory and capabilities must fit; unknown levels count as absent."""
    await queue.add()
    assert None is await queue.claim(rules=rules)


async def test_retiring_cancels_what_waits(queue: Queue) -> None:
    """Hiding a tool cancels its waiting production runs with the reason, not its sandbox runs."""
    added = await queue.add()
    trial = await queue.add(context=RunContext.SANDBOX)
    async with queue.work.write() as unit:
        assert await unit.queue.retire(queue.tool, None, queue.clock.now()) == 1
    gone, kept = await queue.get(added.id), await queue.get(trial.id)
    assert (gone.cancel_reason, kept.state) == ("version_retired", RunState.QUEUED)


async def test_a_failed_transaction_leaves_nothing(queue: Queue) -> None:
    """What is written before an error is gone."""
    run = await queue.add()

    async def fail() -> None:
        async with queue.work.write() as unit:
            await unit.queue.request_cancel(run.id, "user", queue.clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await queue.get(run.id)).state == RunState.QUEUED
