"""Batches of commits in a line: while one is being written the next is decided, on top of what those ahead will leave.

A store writes a batch only if its sequence still is the one that the batch was decided on. So as long as nobody else
writes, what this line wrote and saw is how things are, and need not be looked at again. Whoever was overtaken, by
another node or because a batch ahead failed, writes nothing and is decided anew with nobody beside.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import SHORT, Address, Batch, touched

Seen: TypeAlias = dict[Address, Stored]
"""What lies at addresses, without the larger values; also what has expired and was not removed yet."""

Answers: TypeAlias = list[Sequence[Outcome] | Exception]
Look: TypeAlias = Callable[[Sequence[Address]], Awaitable[tuple[int, Seen]]]
"""The sequence, and what lies at the addresses at that moment."""

Write: TypeAlias = Callable[[Batch], Awaitable[bool]]
"""Whether the batch was written; nothing was when the sequence has moved."""

Alone: TypeAlias = Callable[[list[Sequence[Operation]]], Awaitable[tuple[Answers, int]]]
"""Look, decide and write whatever others do; the answers and the sequence."""

_CAREFUL = 16
_KNOWN = 50_000
_SLOW = 0.002
_PER_BYTE = 2e-8
_INERTIA = 8


class Line:
    """Runs batches of one store: two at a time, one being written and one being decided, unless writing is slow."""

    def __init__(
        self, clock: Clock, look: Look, write: Write, alone: Alone, timer: Callable[[], float] = time.perf_counter
    ) -> None:
        self._clock = clock
        self._look = look
        self._write = write
        self._alone = alone
        self._deciding = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._known: dict[Address, Stored | None] = {}
        self._reached: deque[int] = deque()
        """The sequence that is written, then those of the batches on their way; empty when nothing is known."""
        self._careful = 0
        self._timer = timer
        self._late = 0.0
        """Seconds that a write takes beyond what its bytes need, lately."""

    @property
    def worth(self) -> int:
        """How many batches at a time are worth it. Where a write takes long, mostly for a disk, one that holds
        everything is better than two halves that each wait for it.
        """
        return 1 if self._late > _SLOW else 2

    async def run(self, commits: list[Sequence[Operation]]) -> tuple[Answers, int]:
        """Carry out a batch. Raises what the store raises; then none of it was written, or nobody knows."""
        if not self._careful:
            done = await self._among_others(commits)
            if done is not None:
                return done
            self._careful = _CAREFUL
        async with self.nobody_beside():
            done = await self._alone(commits)
            self._careful = max(self._careful - 1, 0)
            return done

    @asynccontextmanager
    async def nobody_beside(self) -> AsyncIterator[None]:
        """No batch is under way in the block, and nothing is taken for known afterwards."""
        async with self._deciding, self._writing:
            self._forget()
            yield

    def _forget(self) -> None:
        self._known = {}
        self._reached = deque()

    async def _among_others(self, commits: list[Sequence[Operation]]) -> tuple[Answers, int] | None:
        async with self._deciding:
            seen = await self._seen(touched(commits))
            if seen is None:
                return None
            reached = self._reached
            batch = Batch(reached[-1], self._clock(), seen)
            answers = batch.decide_all(commits)
            reached.append(batch.sequence)
            self._remember(batch)
        try:
            async with self._writing:
                if reached is not self._reached:
                    return None
                if not await self._true(batch):
                    self._forget()
                    return None
                reached.popleft()
        except BaseException:
            self._forget()
            raise
        return answers, batch.sequence

    async def _true(self, batch: Batch) -> bool:
        """Write the batch, or look whether what refused all of it is still so."""
        if batch.changes:
            begun = self._timer()
            written = await self._write(batch)
            size = sum([len(record.value) for record in batch.records.values() if record is not None])
            self._late += (self._timer() - begun - size * _PER_BYTE - self._late) / _INERTIA
            return written
        sequence, _ = await self._look(())
        return sequence == batch.before

    async def _seen(self, addresses: Sequence[Address]) -> dict[Address, Stored | None] | None:
        """How the addresses are once the batches on their way are written; ``None`` when somebody came between."""
        if len(self._known) > _KNOWN:
            async with self._writing:
                self._forget()
        if self._reached:
            with suppress(KeyError):  # nearly always everything is known: one way through, not two
                return {address: self._known[address] for address in addresses}
        missing = [address for address in addresses if address not in self._known]
        if missing or not self._reached:
            reached = self._reached
            sequence, found = await self._look(missing)
            if reached is not self._reached or (reached and sequence not in reached):
                return None
            if not reached:
                reached.append(sequence)
            self._known.update({address: found.get(address) for address in missing})
        return {address: self._known[address] for address in addresses}

    def _remember(self, batch: Batch) -> None:
        for address, record in batch.records.items():
            self._known[address] = _head(record)


def _head(record: Stored | None) -> Stored | None:
    if record is None or len(record.value) <= SHORT:
        return record
    return Stored(
        record.key, b"", record.version, record.created, record.updated, record.expires, record.schema, record.codec,
        record.key_generation,
    )  # fmt: skip
