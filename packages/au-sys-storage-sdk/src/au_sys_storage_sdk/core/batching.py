"""Group commit: whatever waits while one commit runs goes into the next.

There is no timer, so an idle store answers at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from au_sys_storage_sdk.core.errors import Unavailable

Request = TypeVar("Request")
Answer = TypeVar("Answer")


_SMALL = 32
"""Requests that are not worth being parted."""


class Batcher(Generic[Request, Answer]):
    """Hands waiting requests to ``apply`` as one batch at a time; ``apply`` answers each with a result or an exception.

    The queue is bounded by count and bytes: beyond that a request is refused at once with ``Unavailable``. A cancelled
    request that is already in a batch may still take effect; the note of its ``CancelledError`` says which it is.
    ``at_once``: batches under way at a time. With two, each takes half of what waits: so there is always one to prepare
    while another is written. It may be changed at any time.
    """

    def __init__(
        self,
        apply: Callable[[list[Request]], Awaitable[Sequence[Answer | Exception]]],
        *,
        max_waiting: int = 10_000,
        max_bytes: int = 64 * 1024 * 1024,
        max_batch: int = 512,
        at_once: int = 1,
    ) -> None:
        self._apply = apply
        self._max_waiting = max_waiting
        self._max_bytes = max_bytes
        self._max_batch = max_batch
        self._waiting: deque[tuple[Request, asyncio.Future[Answer], int]] = deque()
        self._bytes = 0
        self.at_once = at_once
        self._workers: set[asyncio.Task[None]] = set()
        self._closed = False

    async def submit(self, request: Request, size: int = 0) -> Answer:
        """The answer to a request, once its batch is committed.

        Raises:
            Unavailable: too much waits already, or the store is closed.
        """
        if self._closed:
            raise Unavailable("the store is closed")
        if len(self._waiting) >= self._max_waiting or (self._waiting and self._bytes + size > self._max_bytes):
            raise Unavailable(f"{len(self._waiting)} writes with {self._bytes} bytes are waiting", retry_after=0.5)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((request, future, size))
        self._bytes += size
        if len(self._workers) < self.at_once:
            self._workers.add(loop.create_task(self._run()))
        try:
            return await future
        except asyncio.CancelledError as error:
            waits = any(entry[1] is future for entry in self._waiting)
            error.add_note(
                "nothing was written" if waits else "the outcome of the write is unknown: it may still commit"
            )
            raise

    async def _run(self) -> None:
        try:
            while self._waiting and len(self._workers) <= self.at_once:
                await self._flush()
                if self.at_once == 1:
                    await asyncio.sleep(0)  # those who were just answered may have more: it goes into the next
        finally:
            if (worker := asyncio.current_task()) is not None:
                self._workers.discard(worker)

    async def _flush(self) -> None:
        batch = self._next_batch()
        if not batch:
            return
        try:
            answers = await self._apply([request for request, _, _ in batch])
        except BaseException as error:
            for _, future, _ in batch:
                _settle(future, error if isinstance(error, Exception) else Unavailable("the writer was stopped"))
            if not isinstance(error, Exception):
                raise
            return
        for (_, future, _), answer in zip(batch, answers, strict=True):
            _settle(future, answer)

    def _next_batch(self) -> list[tuple[Request, asyncio.Future[Answer], int]]:
        batch: list[tuple[Request, asyncio.Future[Answer], int]] = []
        most = min(self._max_batch, max(len(self._waiting) // self.at_once, _SMALL))
        while self._waiting and len(batch) < most:
            entry = self._waiting.popleft()
            self._bytes -= entry[2]
            if not entry[1].done():
                batch.append(entry)
        return batch

    async def close(self) -> None:
        """Refuse what comes and finish what waits."""
        self._closed = True
        for worker in list(self._workers):
            await asyncio.shield(worker)


def _settle(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
