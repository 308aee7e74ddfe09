"""A blob that is written bit by bit: what a caller hands over goes on to the backend while it makes the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TypeAlias

from au_sys_storage_sdk.core.blobs.models import BlobInfo
from au_sys_storage_sdk.core.errors import InvalidInput

Storing: TypeAlias = Callable[[AsyncIterator[bytes]], Awaitable[BlobInfo]]


class _GivenUp(Exception):
    """The block of the writer ended with an error."""


class BlobWriter:
    """Use it with ``async with``: the blob is stored when the block ends, and nothing is when it ends with an error.

    At most two pieces wait, so a slow backend slows the caller down.
    """

    def __init__(self, store: Storing) -> None:
        self._store = store
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._task: asyncio.Task[BlobInfo] | None = None
        self._failed = False

    async def write(self, piece: bytes) -> None:
        """Take the next bytes. Raises what the backend raised, once it did."""
        if self._task is None:
            raise InvalidInput("writer", "it is not open", "use it with async with")
        await self._put(self._task, bytes(piece))
        if self._task.done():
            self._task.result()

    async def _put(self, task: asyncio.Task[BlobInfo], piece: bytes | None) -> None:
        putting = asyncio.ensure_future(self._pieces.put(piece))
        try:
            await asyncio.wait([putting, task], return_when=asyncio.FIRST_COMPLETED)
        finally:
            putting.cancel()

    @property
    def info(self) -> BlobInfo:
        """What was stored, after the block. Raises ``InvalidInput`` before."""
        if self._task is None or not self._task.done():
            raise InvalidInput("writer", "it has not ended", "read this after the block")
        return self._task.result()

    async def _handed_on(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece
        if self._failed:
            raise _GivenUp

    async def __aenter__(self) -> BlobWriter:
        self._task = asyncio.ensure_future(self._store(self._handed_on()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._task
        if task is None:
            return
        if kind is None:
            await self._put(task, None)
            await task
            return
        self._failed = True
        if not task.done():
            await self._put(task, None)
        await asyncio.gather(task, return_exceptions=True)
