"""A store whose backend can be exchanged while it is read and written: writers wait some milliseconds, nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias
from uuid import uuid4

from au_sys_storage_sdk.core.clock import Clock, system_clock
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Role
from au_sys_storage_sdk.core.errors import FeedCompacted, InvalidInput, StorageError, Unsupported
from au_sys_storage_sdk.core.switching.guarded import Guarded
from au_sys_storage_sdk.core.switching.journal import Entry, Journal
from au_sys_storage_sdk.core.switching.models import Phase, Progress
from au_sys_storage_sdk.core.switching.move import Move, clear
from au_sys_storage_sdk.core.switching.observation import Observation

Opener: TypeAlias = Callable[[str], Awaitable[DocumentStore]]
"""Opens the backend of a name."""

KEEP = 3600.0
"""Seconds for which the backend before is kept in step after a switch."""

BOUND = 1.0
"""Seconds that writers wait at most while a switch takes over; then they go on and it tries again."""


class Switchable(Guarded):
    """Forwards to the active backend. Made by :meth:`open`, which takes up an interrupted switch where it stood."""

    def __init__(
        self, inner: DocumentStore, entry: Entry, journal: Journal, opener: Opener, keep: float, bound: float,
        clock: Clock,
    ) -> None:  # fmt: skip
        super().__init__(inner, entry)
        self.progress: Progress | None = None
        self._journal = journal
        self._opener = opener
        self._keep = keep
        self._bound = bound
        self._clock = clock
        self._moving: asyncio.Task[None] | None = None
        self._observation: Observation | None = None
        self._taking: asyncio.Task[None] | None = None
        self._undecided = False
        self._closing = False

    @classmethod
    async def open(
        cls, default: str, journal: Journal, opener: Opener, *, keep: float = KEEP, bound: float = BOUND,
        clock: Clock = system_clock,
    ) -> Switchable:  # fmt: skip
        """Open the backend that the journal names (or the default), and go on with a switch that was under way."""
        entry = await journal.read() or Entry(default, 1)
        made = cls(await opener(entry.active), entry, journal, opener, keep, bound, clock)
        try:
            await made._take_up()
        except BaseException:
            await made.inner.close()
            raise
        return made

    async def _take_up(self) -> None:
        try:
            found = await self.inner.standing()
        except Unsupported:  # a remote platform: its own operators switch it
            return
        if not self.entry.operation:
            if found.role is Role.ACTIVE:
                self.entry = replace(self.entry, epoch=found.epoch, origin=found.operation)
            return
        if self.entry.phase is Phase.FLIPPED:
            self._unmarked = found.epoch < self.entry.epoch
        else:
            self._unmarked = found.role is Role.RETIRED and found.operation == self.entry.operation
        if not self.entry.phase.ended:
            self._begin(self.entry, None)
        if self.entry.previous != self.entry.target or self.entry.phase.ended:
            self._observe(None)

    def _observe(self, store: DocumentStore | None) -> None:
        previous = self.entry.previous
        if previous:
            opener = self._opener
            self._observation = Observation(
                self.inner, lambda: opener(previous), self.entry.until, self._clock, store
            )  # fmt: skip
            self._observation.begin(self._let_go)

    async def _let_go(self) -> None:
        """The way back is closed: nothing is kept in step any more."""
        store = await self._end_observation()
        if store is not None:
            await store.close()
        if self.entry.previous and self.entry.phase.ended:
            self.entry = replace(self.entry, previous="", until=0)
            await self._journal.write(self.entry)
            self._tell(rollback_until=None)

    async def compact(self, keep: int) -> int:
        """See the port. What a switch or the way back still needs of the feed stays."""
        if self._moving is not None and not self._moving.done():
            return 0
        if self._observation is not None:
            keep = max(keep, await self.inner.sequence() - (self._observation.reached or 0))
        return await self._write(lambda inner: inner.compact(keep))

    async def switch(self, target: str, *, rate: float | None = None) -> Progress:
        """Begin to move to another backend; it goes on in the background. What is known of it so far.

        What an earlier switch left in the target (a retired backend, a copy that was given up) is removed first.
        ``rate``: documents a second that are copied at most.

        Raises:
            InvalidInput: the target is the active backend, holds documents already, or another switch is under way.
        """
        store = await self._checked(target)
        try:
            back = target == self.entry.previous and await self._in_reach(store)
            since = await (store if back else self.inner).sequence()
            phase = Phase.TAILING if back else Phase.COPYING
            entry = replace(
                self.entry, operation=uuid4().hex, target=target, phase=phase, since=since, cursor=None, rate=rate
            )
            if target == self.entry.previous:
                await self._end_observation()
                entry = entry if back else replace(entry, previous="", until=0)
            await self._journal.write(entry)
        except BaseException:
            if self._observation is None or store is not self._observation.store:
                await store.close()
            raise
        return self._begin(entry, store)

    async def _in_reach(self, store: DocumentStore) -> bool:
        """Whether the feed still holds everything that the store lacks."""
        try:
            await self.inner.changes(await store.sequence(), 1)
        except FeedCompacted:
            return False
        return (await store.standing()).role is Role.RETIRED

    async def _end_observation(self) -> DocumentStore | None:
        observation, self._observation = self._observation, None
        return None if observation is None else await observation.end()

    async def check(self, target: str) -> None:
        """Raise what :meth:`switch` would raise, without beginning."""
        store = await self._checked(target)
        if self._observation is None or store is not self._observation.store:
            await store.close()

    async def _checked(self, target: str) -> DocumentStore:
        if self._moving is not None and self.entry.phase.ended:
            await asyncio.wait([self._moving])
        if self._moving is not None and not self._moving.done():
            raise InvalidInput("switch", f"operation {self.entry.operation} is under way", "wait for it or abort it")
        if target == self.entry.active:
            raise InvalidInput("switch", f"{target!r} serves already", "name another backend")
        if target == self.entry.previous and self._observation is not None and self._observation.store is not None:
            return self._observation.store
        store = await self._opener(target)
        try:
            full = (await store.standing()).role is Role.ACTIVE and await store.sequence()
        except BaseException:
            await store.close()
            raise
        if full:
            await store.close()
            raise InvalidInput("switch", f"{target!r} holds documents already", "name an empty backend")
        return store

    def _begin(self, entry: Entry, store: DocumentStore | None) -> Progress:
        self.entry = entry
        self.progress = Progress(
            entry.operation, entry.active, entry.target, entry.phase, entry.since, entry.since, rate=entry.rate
        )
        self._moving = asyncio.get_running_loop().create_task(self._go(store))
        return self.progress

    async def finished(self) -> Progress:
        """Wait for the switch that is under way."""
        if self._moving is not None:
            await asyncio.wait([self._moving])
        if self.progress is None:
            raise InvalidInput("switch", "none has been begun", "begin one")
        return self.progress

    async def abort(self) -> Progress:
        """Give a switch up; the active backend has not noticed it. Raises ``InvalidInput`` when it is over."""
        if self._moving is None or self._moving.done() or self.progress is None:
            raise InvalidInput("switch", "none is under way", "nothing needs to be aborted")
        await self._stop(self._moving)
        return self.progress

    @staticmethod
    async def _stop(moving: asyncio.Task[None]) -> None:
        await asyncio.sleep(0)  # a task that has not begun would not tidy up either
        moving.cancel()
        await asyncio.wait([moving])

    def _tell(self, **known: object) -> None:
        if self.progress is not None:
            self.progress = replace(self.progress, **known)  # type: ignore[arg-type]  # fields of Progress

    async def _note(self, entry: Entry) -> None:
        await self._journal.write(entry)
        self.entry = entry

    async def _go(self, store: DocumentStore | None) -> None:
        phase, reason = Phase.ABORTED, "it was aborted"
        try:
            store = store or await self._opener(self.entry.target)
            if self._unmarked:  # a crash left the source fenced, and nobody has written since
                await self._mark()
            move = Move(self.inner, store, self.entry, self._note, self._gate, self._tell, self._bound)
            await move.run(self._take_over)
        except asyncio.CancelledError:
            if self._taking is not None:
                await asyncio.wait([self._taking])
        except StorageError as error:
            phase, reason = Phase.FAILED, str(error)
        finally:
            self._taking = None
            try:
                if store is None:
                    await self._end(phase, reason)
                elif self.inner is not store:
                    await self._give_up(store, phase, reason)
            finally:
                self._gate.open()

    async def _take_over(self, store: DocumentStore, reached: int, begun: float) -> None:
        self._taking = asyncio.get_running_loop().create_task(self._become(store, reached, begun))
        await asyncio.shield(self._taking)

    async def _become(self, store: DocumentStore, reached: int, begun: float) -> None:
        """Write the decision down, then live by it."""
        before, old, until = self.entry, self.inner, 0
        if self._keep:
            until = self._clock() + int(self._keep * 1000)
        await self._decide(
            Entry(
                before.target, before.epoch + 1, before.operation, before.target, Phase.FLIPPED, before.since,
                before.active if until else "", reached, until, origin=before.operation,
            )
        )  # fmt: skip
        self._unmarked = True
        self._flip(store)
        with contextlib.suppress(StorageError):  # then the first write does it
            await self._mark()
        self._gate.open()
        self._tell(
            phase=Phase.FLIPPED, reached=reached, behind=0, pause=time.perf_counter() - begun,
            rollback_until=until or None,
        )  # fmt: skip
        third = await self._end_observation()
        if third is not None:
            await third.close()
        self._observe(old)
        if not until:
            await old.close()

    async def _decide(self, entry: Entry) -> None:
        """The point of no return. When the write fails nobody knows what the journal says until it is written anew."""
        self._undecided = True
        try:
            await self._note(entry)
        except StorageError:
            await self._note(self.entry)
            self._undecided = False
            raise
        self._undecided = False

    async def _give_up(self, store: DocumentStore, phase: Phase, reason: str) -> None:
        """The active backend goes on; the target is left empty, or in step when it is the backend before."""
        if self._closing:
            await store.close()
            return
        self._unmarked = True
        back = self.entry.target == self.entry.previous
        try:
            await self._mark()
            if not back and not self._undecided:
                await clear(store, self.entry.operation)
        except StorageError as error:
            reason += f" (what was copied is removed by the next switch to it: {error})"
        await self._end(phase, reason)
        if back:
            self._observe(store)
        else:
            await store.close()

    async def _end(self, phase: Phase, reason: str) -> None:
        if self._closing:
            return
        self._tell(phase=phase, reason=reason)
        ended = replace(self.entry, phase=phase, cursor=None)
        with contextlib.suppress(StorageError):  # then the next start goes on with it
            await self._note(ended)
        self.entry = ended

    async def close(self) -> None:
        """Stop a switch where it is (it goes on at the next start) and close the backends."""
        self._closing = True
        if self._moving is not None and not self._moving.done():
            await self._stop(self._moving)
        previous = await self._end_observation()
        if previous is not None:
            await previous.close()
        await self.inner.close()
