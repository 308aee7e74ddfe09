"""The live view writes in batches, in order, and nothing after it is closed."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.memory.unit_of_work import MemoryUnit, MemoryUnitOfWork
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.observing.live_view import LiveView


class _Gated:
    """A database whose first write is slow: it begins, and goes on when the gate is opened."""

    def __init__(self) -> None:
        self.inner = MemoryUnitOfWork()
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()

    def read(self) -> AbstractAsyncContextManager[MemoryUnit]:
        return self.inner.read()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryUnit]:
        self.entered.set()
        await self.gate.wait()
        async with self.inner.write() as unit:
            yield unit


async def test_a_write_under_way_ends_before_the_view_is_closed() -> None:
    """Closing waits for a batch that is being written, so that the end of a run stays its last event."""
    work, run_id = _Gated(), RunId(uuid.uuid4())
    view = LiveView(work, StandingClock(), run_id, 100)
    view.state("running")
    await work.entered.wait()
    closing = asyncio.create_task(view.close())
    for _ in range(20):
        await asyncio.sleep(0)
    closed_early = closing.done()
    work.gate.set()
    await closing
    async with work.read() as unit:
        told = [event.data for event in await unit.runs.events(run_id)]
    assert (closed_early, told) == (False, [{"state": "running"}])
