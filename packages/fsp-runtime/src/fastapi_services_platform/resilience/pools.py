"""The one door for blocking work: a bounded thread pool with a queue limit."""

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from fastapi_services_platform.errors import PlatformError

P = ParamSpec("P")
T = TypeVar("T")

_WAITING_PER_THREAD = 64


class PoolExhausted(PlatformError):
    """More blocking work waits than the pool takes on."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"{waiting} pieces of blocking work wait already.", "try again later, or raise FSP_BLOCKING_THREADS."
        )


class BlockingPool:
    """Threads for work that would stop the event loop."""

    def __init__(self, threads: int = 8) -> None:
        self.threads = threads
        self.waiting = 0
        self._executor: ThreadPoolExecutor | None = None

    async def run(self, function: Callable[[], T]) -> T:
        """Await ``function()`` in a thread, with the caller's context variables.

        Raises:
            PoolExhausted: the queue is full.
        """
        if self.waiting >= self.threads * _WAITING_PER_THREAD:
            raise PoolExhausted(self.waiting)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="fsp-blocking")
        context = contextvars.copy_context()
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, context.run, function)
        finally:
            self.waiting -= 1

    def resize(self, threads: int) -> None:
        """Use another number of threads from the next piece of work on."""
        if threads != self.threads and self._executor is not None:
            self.close()
        self.threads = threads

    def close(self) -> None:
        """Let the threads end once their work is done."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=False)
            self._executor = None


pool = BlockingPool()
"""The process's pool; the platform sets its size from the settings."""


async def blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await blocking work in the bounded thread pool."""
    return await pool.run(functools.partial(function, *args, **kwargs))
