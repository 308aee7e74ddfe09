"""One switch from its first copy to the moment in which the target takes over; each step may be repeated."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Role, Standing
from au_sys_storage_sdk.core.errors import Unavailable
from au_sys_storage_sdk.core.switching.comparison import Comparison
from au_sys_storage_sdk.core.switching.gate import Gate
from au_sys_storage_sdk.core.switching.journal import Cursor, Entry
from au_sys_storage_sdk.core.switching.migration import copy_documents, copy_feed, copy_tail
from au_sys_storage_sdk.core.switching.models import Phase

NEAR = 200
"""Changes behind, and documents to compare again, at which writers are asked to wait for the rest."""

_FALLING = 0.9
"""When a round does not bring the lag down to this share, writers are slowed."""

_ATTEMPTS = 20
_NOTED_EVERY = 1.0

Tell = Callable[..., None]
Note = Callable[[Entry], Awaitable[None]]
TakeOver = Callable[[DocumentStore, int, float], Awaitable[None]]
"""Told the target, the sequence, and when writers began to wait."""


class Move:
    """Moves ``source`` into ``target`` behind a gate. ``bound``: how long writers wait at most, in seconds."""

    def __init__(
        self, source: DocumentStore, target: DocumentStore, entry: Entry, note: Note, gate: Gate, tell: Tell,
        bound: float,
    ) -> None:  # fmt: skip
        self.source = source
        self.target = target
        self.entry = entry
        self._note = note
        self._gate = gate
        self._tell = tell
        self._bound = bound
        self._noted = 0.0
        self._reached = 0
        self._comparison = Comparison(source, target)

    async def run(self, take_over: TakeOver) -> None:
        """Do everything that is left; ``take_over`` is the last."""
        if self.entry.phase is Phase.COPYING:
            await self._copy()
        self._reached = await self.target.sequence()
        await self._catch_up()
        await self._compare()
        for _ in range(_ATTEMPTS):
            if await self._finish(take_over):
                return
            self._gate.slow_down()
            await self._catch_up()
        raise Unavailable(f"{self.target.name} did not take over within {self._bound} seconds of waiting writers")

    async def _copy(self) -> None:
        mark = Standing(self.entry.epoch, Role.COPY, self.entry.operation)
        if await self.target.standing() != mark:
            await self.target.erase()
            await self.target.stand(mark)
        if self.entry.cursor is None:
            await self.source.sweep()
            await copy_feed(self.source, self.target, self.entry.since)
        await copy_documents(
            self.source, self.target, self.entry.since, self._copied, self.entry.cursor, self.entry.rate
        )
        await self._write(replace(self.entry, phase=Phase.TAILING, cursor=None))
        self._tell(phase=Phase.TAILING)

    async def _copied(self, copied: int, cursor: Cursor) -> None:
        self._tell(copied=copied)
        if time.monotonic() - self._noted > _NOTED_EVERY:
            self._noted = time.monotonic()
            await self._write(replace(self.entry, cursor=cursor))

    async def _write(self, entry: Entry) -> None:
        self.entry = entry
        await self._note(entry)

    async def _tail(self) -> int:
        """One page of the tail; how far the target is behind."""
        self._reached, addresses = await copy_tail(self.source, self.target, self._reached)
        self._comparison.touched(addresses)
        behind = await self.source.sequence() - self._reached
        self._tell(reached=self._reached, behind=behind)
        return behind

    async def _catch_up(self) -> None:
        """Follow until little is left to copy and to compare."""
        before: int | None = None
        while True:
            left = await self._tail()
            if left <= NEAR:  # else what is compared now would be touched again by what is still to come
                await self._comparison.settle()
                left = max(left, len(self._comparison.open))
            if left <= NEAR:
                return
            if before is not None and left > before * _FALLING:
                self._gate.slow_down()
            before = left

    async def _compare(self) -> None:
        async for compared in self._comparison.pages():
            self._tell(compared=compared)
            await self._catch_up()
        await self.source.sweep()
        await self._catch_up()

    async def _finish(self, take_over: TakeOver) -> bool:
        """Let writers wait, drain, compare, fence, take over; ``False`` when it would have taken too long."""
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self._bound):
                await self._gate.shut()
                await self._drain()
        except TimeoutError:
            self._gate.resume()
            return False
        await self.source.stand(Standing(self.entry.epoch, Role.RETIRED, self.entry.operation))
        await self._drain()  # what another node wrote before it was fenced
        await take_over(self.target, self._reached, begun)
        return True

    async def _drain(self) -> None:
        while True:
            before = self._reached
            await self._tail()
            if self._reached == before:
                break
        await self._comparison.require_equal()


async def clear(target: DocumentStore, operation: str) -> None:
    """Remove what a switch that was given up has copied; a target that it did not claim is left alone."""
    found = await target.standing()
    if found.role is Role.COPY and found.operation == operation:
        await target.erase()
        await target.stand(Standing())
