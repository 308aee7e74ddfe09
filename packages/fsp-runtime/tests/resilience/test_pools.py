"""The door for blocking work: threads, context, a bounded queue."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from fastapi_services_platform import blocking
from fastapi_services_platform.resilience.pools import BlockingPool, PoolExhausted

where: ContextVar[str] = ContextVar("where", default="nowhere")


async def test_work_runs_in_a_thread_with_the_callers_context() -> None:
    """Another thread, the same context variables, the result and the arguments."""
    where.set("here")

    def work(number: int, *, plus: int) -> tuple[int, str, bool]:
        return number + plus, where.get(), threading.current_thread() is threading.main_thread()

    assert await blocking(work, 1, plus=2) == (3, "here", False)


async def test_the_queue_has_an_end() -> None:
    """More than the pool takes on is refused with the variable that raises it."""
    pool, gate = BlockingPool(1), threading.Event()
    waiting = [asyncio.create_task(pool.run(gate.wait)) for _ in range(64)]
    await asyncio.sleep(0)
    with pytest.raises(PoolExhausted, match="FSP_BLOCKING_THREADS"):
        await pool.run(gate.wait)
    gate.set()
    await asyncio.gather(*waiting)
    pool.close()
