"""Documents that are read often stay in memory; the change feed tells when they are old."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.changes import follow
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

Address: TypeAlias = tuple[Space, str]

_LARGEST = 64 * 1024


class Cached(Forwarding):
    """Keeps up to ``entries`` documents (and absences), least recently used out first.

    A write through this object is seen at once; a write of another process as soon as the feed has brought it. When the
    feed breaks, nothing is kept any more.
    """

    def __init__(self, inner: DocumentStore, *, entries: int = 10_000, clock: Clock = system_clock) -> None:
        super().__init__(inner)
        self._entries = entries
        self._clock = clock
        self._kept: OrderedDict[Address, Stored | None] = OrderedDict()
        self._dropped = 0
        self._follower: asyncio.Task[None] | None = None
        self.hits = 0

    async def get(self, space: Space, key: str) -> Stored | None:
        """See the port."""
        address = (space, key)
        if address in self._kept:
            found = self._kept[address]
            if found is None or found.expires is None or found.expires > self._clock():
                self._kept.move_to_end(address)
                self.hits += 1
                return found
            del self._kept[address]
        await self._following()
        before = self._dropped
        found = await self.inner.get(space, key)
        if before == self._dropped and (found is None or len(found.value) <= _LARGEST):
            self._keep(address, found)
        return found

    def _keep(self, address: Address, found: Stored | None) -> None:
        if self._follower is None or self._follower.done():
            return
        self._kept[address] = found
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)

    async def _following(self) -> None:
        if self._follower is None or self._follower.done():
            since = await self.inner.sequence()
            self._kept.clear()
            self._follower = asyncio.get_running_loop().create_task(self._follow(since))

    async def _follow(self, since: int) -> None:
        try:
            async for change in follow(self.inner, since):
                self._drop((change.space, change.key))
        finally:
            self._dropped += 1
            self._kept.clear()

    def _drop(self, address: Address) -> None:
        self._dropped += 1
        self._kept.pop(address, None)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        try:
            return await self.inner.commit(operations)
        finally:
            for operation in operations:
                self._drop((operation.space, operation.key))

    async def close(self) -> None:
        """Stop following, forget, close the store inside."""
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
        await self.inner.close()
