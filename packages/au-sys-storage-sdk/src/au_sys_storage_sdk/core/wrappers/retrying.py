"""Try again what is safe to try again: reads, and writes that end the same however often they happen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Delete, Operation, Outcome, Put
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import InUse, Unavailable
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


class Retrying(Forwarding):
    """Repeats after ``Unavailable``, with growing pauses and jitter, ``attempts`` times in all.

    A conditional write, an increment or an event is never repeated: the first try may have committed, and the second
    would then report a conflict with itself or count twice.
    """

    def __init__(
        self, inner: DocumentStore, *, attempts: int = 4, pause: float = 0.05, sleep: Sleep = asyncio.sleep
    ) -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._pause = pause
        self._sleep = sleep

    async def _again(self, call: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(1, self._attempts):
            try:
                return await call()
            except InUse:
                raise
            except Unavailable as error:
                longest = self._pause * 2**attempt
                await self._sleep(min(error.retry_after, longest) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
        return await call()

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._again(lambda: self.inner.get(space, key))

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._again(lambda: self.inner.head(space, key))

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        if all(isinstance(operation, Put | Delete) and operation.condition is None for operation in operations):
            return await self._again(lambda: self.inner.commit(operations))
        return await self.inner.commit(operations)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        return await self._again(lambda: self.inner.scan(space, prefix, after, limit, max_bytes, keys_only))

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        return await self._again(lambda: self.inner.count(space, prefix))

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        return await self._again(lambda: self.inner.changes(since, limit, space))
