"""Batches of commits in a line: while some are being written the next is decided, on top of what those will leave.

A store writes a batch only if it still is at the tip that the batch was decided on. So as long as nobody else writes,
what this line wrote and saw is how things are, and need not be looked at again. A batch is sent before those ahead are
answered: the store keeps them in order. Whoever was overtaken, by another node or because a batch ahead failed, writes
nothing and is decided anew with nobody beside.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

from au_sys_storage_sdk.core.clock import Clock
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.planning import SHORT, Address, Batch, touched

Seen: TypeAlias = dict[Address, Stored]
"""What lies at addresses, without the larger values; also what has expired and was not removed yet."""

Answers: TypeAlias = list[Sequence[Outcome] | Exception]


@dataclass(frozen=True, slots=True)
class Tip:
    """How far a store has come: its sequence, and the mark of the batch that brought it there.

    The number alone would not do: somebody else may reach the same one in another way.
    """

    sequence: int
    mark: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A batch, the tip that it was decided on, and the mark that it leaves. ``ahead``: marks that the store may still
    have when the batch arrives, since those ahead are on their way.
    """

    batch: Batch
    upon: Tip
    mark: int
    ahead: tuple[int, ...] = ()

    @classmethod
    def alone(cls, batch: Batch, upon: Tip) -> Turn:
        """Of a batch with nobody ahead."""
        return cls(batch, upon, new_mark())

    @property
    def tip(self) -> Tip:
        """Where the store is afterwards."""
        return Tip(self.batch.sequence, self.mark)


Look: TypeAlias = Callable[[Sequence[Address]], Awaitable[tuple[Tip, Seen]]]
"""The tip, and what lies at the addresses at that moment."""

Write: TypeAlias = Callable[[Turn], Awaitable[bool]]
"""Whether the batch was written; nothing was when the store did not come to the tip that it was decided on."""

Alone: TypeAlias = Callable[[list[Sequence[Operation]]], Awaitable[tuple[Answers, int]]]
"""Look, decide and write whatever others do; the answers and the sequence."""

_CAREFUL = 16
_KNOWN = 50_000
_SLOW = 0.002
_PER_BYTE = 2e-8
_INERTIA = 8


@dataclass(frozen=True, slots=True)
class _UnderWay:
    batch: Batch
    answered: asyncio.Event


def new_mark() -> int:
    """One that no other batch has, of any node."""
    return secrets.randbits(62) + 1


class Line:
    """Runs batches of one store, some at a time unless writing is slow.

    ``abreast``: batches that may be with the store at a time. It must carry them out in the order of their tips, or
    not at all; two of them never touch the same document.
    """

    def __init__(
        self,
        clock: Clock,
        look: Look,
        write: Write,
        alone: Alone,
        *,
        abreast: int = 2,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._look = look
        self._write = write
        self._alone = alone
        self._abreast = abreast
        self._deciding = asyncio.Lock()
        self._places = asyncio.Semaphore(abreast)
        self._known: dict[Address, Stored | None] = {}
        self._reached: deque[Tip] = deque()
        """The tip that is written, then those of the batches on their way; empty when nothing is known."""
        self._under_way: dict[int, _UnderWay] = {}
        """By mark; in the order in which they were decided."""
        self._careful = 0
        self._timer = timer
        self._answered = 0.0
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
        async with self._deciding, self._all_places():
            self._forget()
            yield

    @asynccontextmanager
    async def _all_places(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as taken:
            for _ in range(self._abreast):
                await taken.enter_async_context(self._places)
            yield

    def _forget(self) -> None:
        self._known = {}
        self._reached = deque()

    async def _among_others(self, commits: list[Sequence[Operation]]) -> tuple[Answers, int] | None:
        async with self._deciding:
            seen = await self._seen(touched(commits))
            if seen is None:
                return None
            reached, upon = self._reached, self._reached[-1]
            batch = Batch(upon.sequence, self._clock(), seen)
            answers = batch.decide_all(commits)
            turn = Turn(batch, upon, new_mark(), tuple([tip.mark for tip in reached])[:-1])
            if batch.changes:
                await self._apart(batch)
                if reached is not self._reached:
                    return None
                reached.append(turn.tip)
                self._remember(batch)
                self._under_way[turn.mark] = _UnderWay(batch, asyncio.Event())
        done = await (self._in_turn(turn, reached) if batch.changes else self._so(upon, reached))
        return (answers, batch.sequence) if done else None

    async def _apart(self, batch: Batch) -> None:
        """Wait for those ahead that write to the same documents: a store need not see what is not committed."""
        for other in list(self._under_way.values()):
            if not batch.records.keys().isdisjoint(other.batch.records):
                await other.answered.wait()

    async def _in_turn(self, turn: Turn, reached: deque[Tip]) -> bool:
        """Write a batch that may change something; whether it was written."""
        try:
            async with self._places:
                if reached is not self._reached:
                    return False
                written = await self._timed(turn)
                if written:
                    reached.popleft()
        except BaseException:
            self._doubt(reached)
            raise
        finally:
            self._under_way.pop(turn.mark).answered.set()
        if not written:
            self._doubt(reached)
        return written

    async def _so(self, upon: Tip, reached: deque[Tip]) -> bool:
        """Whether what refused all of a batch was so at some time since it came."""
        leading = self._under_way.get(upon.mark)
        if leading is not None:
            await leading.answered.wait()
            return reached is self._reached
        tip, _ = await self._look(())
        return tip == upon or (reached is self._reached and tip in reached)

    def _doubt(self, reached: deque[Tip]) -> None:
        if reached is self._reached:
            self._forget()

    async def _timed(self, turn: Turn) -> bool:
        begun = self._timer()
        written = await self._write(turn)
        ended = self._timer()
        size = sum([len(record.value) for record in turn.batch.records.values() if record is not None])
        taken = ended - max(begun, self._answered)
        self._answered = ended
        self._late += (taken - size * _PER_BYTE - self._late) / _INERTIA
        return written

    async def _seen(self, addresses: Sequence[Address]) -> dict[Address, Stored | None] | None:
        """How the addresses are once the batches on their way are written; ``None`` when somebody came between."""
        if len(self._known) > _KNOWN:
            async with self._all_places():
                self._forget()
        if self._reached:
            with suppress(KeyError):  # nearly always everything is known: one way through, not two
                return {address: self._known[address] for address in addresses}
        missing = [address for address in addresses if address not in self._known]
        if missing or not self._reached:
            reached, possible = self._reached, set(self._reached)
            tip, found = await self._look(missing)
            if reached is not self._reached or (possible and tip not in possible):
                return None
            if not possible:
                reached.append(tip)
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
