"""A store behind a gate whose backend may become another: readers notice nothing, writers wait for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Role, Standing
from au_sys_storage_sdk.core.errors import Unavailable
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.switching.gate import Gate
from au_sys_storage_sdk.core.switching.journal import Entry
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

T = TypeVar("T")


class Guarded(Forwarding):
    """Forwards to the backend that ``entry`` names."""

    def __init__(self, inner: DocumentStore, entry: Entry) -> None:
        super().__init__(inner)
        self.entry = entry
        self._gate = Gate()
        self._unmarked = False
        self._flipped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _flip(self, store: DocumentStore) -> None:
        """Forward to another backend from here on; followers are handed over."""
        self.inner = store
        flipped, self._flipped = self._flipped, asyncio.get_running_loop().create_future()
        flipped.set_result(None)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port. During the flip it waits."""
        return await self._write(lambda inner: inner.commit(operations))

    async def sweep(self) -> int:
        """See the port."""
        return await self._write(lambda inner: inner.sweep())

    async def _write(self, call: Callable[[DocumentStore], Awaitable[T]]) -> T:
        await self._gate.enter()
        try:
            if self._unmarked:
                await self._mark()
            return await call(self.inner)
        finally:
            self._gate.leave()

    async def _mark(self) -> None:
        """Tell the backend that it is the one; the journal, which decides, says so already."""
        standing = Standing(self.entry.epoch, Role.ACTIVE, self.entry.origin)
        if await self.inner.standing() != standing:
            await self.inner.stand(standing)
        self._unmarked = False

    async def _read(self, call: Callable[[DocumentStore], Awaitable[T]]) -> T:
        """Ask the active backend, and the new one if the old was closed meanwhile."""
        while True:
            inner = self.inner
            try:
                return await call(inner)
            except Unavailable:
                if inner is self.inner:
                    raise

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._read(lambda inner: inner.get(space, key))

    async def head(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        return await self._read(lambda inner: inner.head(space, key))

    async def scan(
        self, space: Space, prefix: str, after: str, limit: int, max_bytes: int, keys_only: bool
    ) -> Page[Stored]:
        """See the port."""
        return await self._read(lambda inner: inner.scan(space, prefix, after, limit, max_bytes, keys_only))

    async def changes(self, since: int, limit: int, space: Space | None = None) -> tuple[Sequence[Change], int]:
        """See the port."""
        return await self._read(lambda inner: inner.changes(since, limit, space))

    async def wait(self, since: int) -> None:
        """See the port. The flip hands a follower to the new backend."""
        waiting = asyncio.ensure_future(self.inner.wait(since))
        try:
            await asyncio.wait([waiting, self._flipped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
