"""After the flip: the backend before is kept in step through the reverse tail, so that the way back is short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import FeedCompacted, StorageError
from au_sys_storage_sdk.core.switching.migration import copy_tail

_AGAIN = 1.0
_GLANCE = 5.0


class Observation:
    """Follows the active backend into the one before until a point in time (Unix ms), or until it is ended."""

    def __init__(
        self, leader: DocumentStore, opener: Callable[[], Awaitable[DocumentStore]], until: int, clock: Clock,
        store: DocumentStore | None = None,
    ) -> None:  # fmt: skip
        self._leader = leader
        self._opener = opener
        self._until = until
        self._clock = clock
        self.store = store
        self.reached: int | None = None
        """How far the backend before has come; ``None`` until it answered."""
        self._task: asyncio.Task[None] | None = None

    def begin(self, over: Callable[[], Awaitable[None]]) -> None:
        """Follow in the background; ``over`` is called when the time has come."""
        self._task = asyncio.get_running_loop().create_task(self._follow(over))

    async def _follow(self, over: Callable[[], Awaitable[None]]) -> None:
        while (left := (self._until - self._clock()) / 1000) > 0:
            try:
                await self._step(left)
            except FeedCompacted:
                break
            except StorageError:
                await asyncio.sleep(min(_AGAIN, left))
        await over()

    async def _step(self, left: float) -> None:
        if self.store is None:
            self.store = await self._opener()
        if self.reached is None:
            self.reached = await self.store.sequence()
        before = self.reached
        self.reached, _ = await copy_tail(self._leader, self.store, before)
        if self.reached == before:
            try:
                async with asyncio.timeout(min(_GLANCE, left)):
                    await self._leader.wait(before)
            except TimeoutError:
                return

    async def end(self) -> DocumentStore | None:
        """Stop following; the backend before, still open."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            while not task.done():  # a client library may take a cancellation for a lost line
                task.cancel()
                await asyncio.wait([task], timeout=_AGAIN)
        store, self.store = self.store, None
        return store
