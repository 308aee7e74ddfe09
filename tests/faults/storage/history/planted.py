"""Stores that break their word now and then, for checkers to find."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from msgspec.structs import replace

from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, Put
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding


class Slow(Forwarding):
    """Lets others in between."""

    async def get(self, space: Space, key: str) -> Stored | None:
        """After a moment."""
        await asyncio.sleep(0)
        found = await super().get(space, key)
        await asyncio.sleep(0)
        return found

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """After a moment."""
        await asyncio.sleep(0)
        outcomes = await super().commit(operations)
        await asyncio.sleep(0)
        return outcomes


class Stale(Slow):
    """Planted: now and then a read answers what was there before."""

    def __init__(self) -> None:
        super().__init__(MemoryDocuments())
        self._old: dict[str, Stored | None] = {}
        self._chance = random.Random(1)

    async def get(self, space: Space, key: str) -> Stored | None:
        """Sometimes from yesterday."""
        found = await super().get(space, key)
        old = self._old.setdefault(key, found)
        if self._chance.random() < 0.1:
            return old
        self._old[key] = found
        return found


class Lossy(Slow):
    """Planted: a write is acknowledged and not done."""

    def __init__(self) -> None:
        super().__init__(MemoryDocuments())
        self._chance = random.Random(1)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Sometimes a promise."""
        before = {step.key: await self.inner.get(step.space, step.key) for step in operations if isinstance(step, Put)}
        outcomes = await super().commit(operations)
        if before and self._chance.random() < 0.05:
            for step in operations:
                old = before.get(step.key)
                if isinstance(step, Put) and old is not None and isinstance(self.inner, MemoryDocuments):
                    self.inner._place(step.space, step.key, old)
        return outcomes


class Swapped(Slow):
    """Planted: two writers are told each other's version."""

    def __init__(self) -> None:
        super().__init__(MemoryDocuments())
        self._held: int | None = None

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Answers with the version of the write before."""
        outcomes = list(await super().commit(operations))
        version = outcomes[0].version
        if version is not None and len(outcomes) == 1:
            held, self._held = self._held, version
            if held is not None:
                outcomes[0] = replace(outcomes[0], version=held)
        return outcomes
