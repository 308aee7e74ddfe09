"""A run can be cancelled until its results are collected; a race with its end has one outcome."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.adapters.platform.time_and_ids import SystemClock
from skriptoteket.adapters.worker.leases import Leases
from skriptoteket.core.errors import Conflict
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.execution import Executor
from skriptoteket.core.runs.models import Ended, Outcome, OutcomeCode, Run, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

if TYPE_CHECKING:
    from tests.adapters.worker.conftest import Library

_RULES = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
_WAITS = '{"wait": true, "result": {"contract": 1, "status": "ok"}}'
_ANSWERS = '{"result": {"contract": 1, "status": "ok"}}'
_STEPS = {
    RunState.QUEUED: (),
    RunState.STARTING: (),
    RunState.RUNNING: (RunState.RUNNING,),
    RunState.COLLECTING: (RunState.RUNNING, RunState.COLLECTING),
}


async def claimed(library: "Library", source: str = _ANSWERS) -> Run:
    """A run in the hands of a worker."""
    await library.submit(source)
    async with library.uow.write() as unit:
        run = await unit.queue.claim(WorkerId("me"), _RULES, datetime.now(UTC), timedelta(seconds=60))
    assert run is not None
    return run


@pytest.mark.parametrize("state", _STEPS)
async def test_each_state_has_its_answer(library: "Library", state: RunState) -> None:
    """What waits is over at once, what starts or runs is flagged, and what is being collected is past that."""
    if state is RunState.QUEUED:
        run_id = await library.submit(_ANSWERS)
    else:
        run = await claimed(library)
        run_id = run.id
        assert run.claim is not None
        for step in _STEPS[state]:
            async with library.uow.write() as unit:
                await unit.queue.move(run.claim, step, datetime.now(UTC))
    told = ""
    try:
        async with library.uow.write() as unit:
            after = await unit.queue.request_cancel(run_id, "I changed my mind", datetime.now(UTC))
            told = f"{after.state} {after.cancel_requested}"
    except Conflict as conflict:
        told = conflict.reason

    assert (
        told
        == {
            RunState.QUEUED: "cancelled False",
            RunState.STARTING: "starting True",
            RunState.RUNNING: "running True",
            RunState.COLLECTING: "wrong_state",
        }[state]
    )


async def test_the_worker_obeys_at_its_next_look(library: "Library") -> None:
    """A flagged run's script is killed, its reason is kept, and nothing of the sandbox is left."""
    sandbox = MemorySandbox()
    executor = Executor(library.uow, sandbox, MemoryArtifactStore(), SystemClock())
    leases = Leases(library.uow, executor, 60)
    run = await claimed(library, _WAITS)
    leases.hold(run)
    working = asyncio.create_task(executor.execute(run))
    while run.id not in sandbox.live:
        await asyncio.sleep(0)
    async with library.uow.write() as unit:
        await unit.queue.request_cancel(run.id, "I changed my mind", datetime.now(UTC))
    await leases.obey_cancels()
    done = await working

    assert done is not None
    assert (done.outcome, done.cancel_reason, sandbox.live) == (OutcomeCode.CANCELLED, "I changed my mind", {})


@pytest.mark.parametrize("first", ["cancel", "finish"])
async def test_a_race_with_the_end_has_one_outcome(library: "Library", first: str) -> None:
    """Whoever comes second finds the run over, or collected: the outcome that was written stays."""
    run = await claimed(library)
    assert run.claim is not None
    for step in (RunState.RUNNING, RunState.COLLECTING):
        async with library.uow.write() as unit:
            await unit.queue.move(run.claim, step, datetime.now(UTC))

    async def cancel() -> None:
        with pytest.raises(Conflict):
            async with library.uow.write() as unit:
                await unit.queue.request_cancel(run.id, "late", datetime.now(UTC))

    async def finish() -> None:
        assert run.claim is not None
        async with library.uow.write() as unit:
            await unit.queue.finish(run.claim, Ended(Outcome(OutcomeCode.OK)), datetime.now(UTC))

    await asyncio.gather(*((cancel(), finish()) if first == "cancel" else (finish(), cancel())))

    assert (await library.run(run.id)).outcome is OutcomeCode.OK
