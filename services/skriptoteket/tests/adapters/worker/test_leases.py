"""A lease outlives every jump of the wall clock, and whoever lost it writes nothing and stops its runs."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.adapters.worker.leases import Leases
from skriptoteket.core.errors import Fenced
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.execution import Executor
from skriptoteket.core.runs.models import Run, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.core.runs.recovery import Recovery

if TYPE_CHECKING:
    from tests.adapters.worker.conftest import Library

_RULES = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
_ENDLESS = '{"wait": true, "result": {"contract": 1, "status": "ok"}}'


class JumpingClock:
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> datetime:
        """The time that it shows."""
        return datetime.now(UTC) + self.by


async def claimed(library: "Library", clock: JumpingClock, lease: timedelta, source: str = _ENDLESS) -> Run:
    """A run in the hands of a worker."""
    await library.submit(source)
    async with library.uow.write() as unit:
        run = await unit.queue.claim(WorkerId("me"), _RULES, clock.now(), lease)
    assert run is not None
    return run


@pytest.mark.parametrize("days", [-4000, 4000])
async def test_a_jump_of_the_clock_takes_no_run_away(library: "Library", days: int) -> None:
    """Years forward or back, the run stays with its worker, and nobody else's sweep finds it."""
    clock = JumpingClock()
    run = await claimed(library, clock, timedelta(seconds=60))
    assert run.claim is not None
    clock.by = timedelta(days=days)
    rescued = await Recovery(library.uow, clock, 2).sweep()
    async with library.uow.write() as unit:
        kept = await unit.queue.renew((run.claim,), timedelta(seconds=60))

    assert (rescued, list(kept)) == ((), [run.claim])
    assert (await library.run(run.id)).state is RunState.STARTING


async def test_whoever_lost_the_lease_stops_and_writes_nothing(library: "Library") -> None:
    """The heartbeat tells the loss, the script is killed, and the end is not written over what the rescuer wrote."""
    clock, sandbox = JumpingClock(), MemorySandbox()
    executor = Executor(library.uow, sandbox, MemoryArtifactStore(), clock)
    leases = Leases(library.uow, executor, 60)
    run = await claimed(library, clock, timedelta(seconds=60))
    leases.hold(run)
    working = asyncio.create_task(executor.execute(run))
    while run.id not in sandbox.live:
        await asyncio.sleep(0)
    async with library.uow.write() as unit:
        (orphan,) = await unit.queue.orphans((WorkerId("me"),))
        lost = await unit.queue.rescue(orphan, 2, clock.now())
    told = await leases.renew()
    done = await working
    now = await library.run(run.id)

    assert (list(told), done, sandbox.live) == ([run.id], None, {})
    assert (now.state, now.finished_at) == (RunState.LOST, lost.finished_at)
    assert run.claim is not None
    with pytest.raises(Fenced):
        async with library.uow.write() as unit:
            await unit.queue.move(run.claim, RunState.RUNNING, clock.now())


async def test_a_worker_that_cannot_renew_gives_up(library: "Library", monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thirds of a lease without a heartbeat, and it kills its runs itself, before anybody else may start them."""
    clock, sandbox = JumpingClock(), MemorySandbox()
    executor = Executor(library.uow, sandbox, MemoryArtifactStore(), clock)
    leases = Leases(library.uow, executor, 0.03)
    run = await claimed(library, clock, timedelta(seconds=60))
    leases.hold(run)
    working = asyncio.create_task(executor.execute(run))
    while run.id not in sandbox.live:
        await asyncio.sleep(0)
    while not await leases.give_up_if_late():
        await asyncio.sleep(0.005)
    await working

    assert sandbox.live == {}
