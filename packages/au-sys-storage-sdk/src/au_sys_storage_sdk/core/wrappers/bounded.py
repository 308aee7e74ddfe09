"""Bounds on how much is under way and how long it may take, so that a slow backend cannot take its callers down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import OutcomeUnknown, Unavailable
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding


class Bounded(Forwarding):
    """At most ``concurrent`` calls at once and ``seconds`` each; beyond that ``Unavailable``.

    A write that ran out of time may still commit: ``OutcomeUnknown``.
    """

    def __init__(self, inner: DocumentStore, *, concurrent: int = 1000, seconds: float = 30.0) -> None:
        super().__init__(inner)
        self._concurrent = concurrent
        self._seconds = seconds
        self._under_way = 0

    @asynccontextmanager
    async def _bound(self, *, writes: bool = False) -> AsyncIterator[None]:
        if self._under_way >= self._concurrent:
            raise Unavailable(f"{self._under_way} calls are under way", retry_after=0.5)
        self._under_way += 1
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError as error:
            if writes:
                raise OutcomeUnknown(f"no answer of {self.name} within {self._seconds:g} s") from error
            raise Unavailable(f"no answer of {self.name} within {self._seconds:g} s") from error
        finally:
            self._under_way -= 1

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        async with self._bound():
            return await self.inner.get(space, key)

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        async with self._bound():
            return await self.inner.head(space, key)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        async with self._bound(writes=True):
            return await self.inner.commit(operations)

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        async with self._bound():
            return await self.inner.scan(space, prefix, after, limit, max_bytes, keys_only)

    async def count(self, space: Space, prefix: str) -> int:
        """See the port."""
        async with self._bound():
            return await self.inner.count(space, prefix)
