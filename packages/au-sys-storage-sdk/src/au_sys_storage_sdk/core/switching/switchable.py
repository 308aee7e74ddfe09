"""A store whose backend can be exchanged while it is read and written: writers wait some milliseconds, nobody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeVar
from uuid import uuid4

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import InvalidInput, StorageError, Unavailable
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.switching.journal import Entry, Journal
from au_sys_storage_sdk.core.switching.migration import copy_documents, copy_feed, copy_tail, require_equal
from au_sys_storage_sdk.core.switching.models import Phase, Progress
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

T = TypeVar("T")
Opener: TypeAlias = Callable[[str], Awaitable[DocumentStore]]
"""Opens the backend of a name."""

_NEAR = 200
"""Changes behind at which writers are asked to wait for the rest."""

_FALLING = 0.9
_BRAKE = 0.001
_HARDEST = 0.1
"""When a page of the tail does not bring the lag down to this share, writers are slowed by so many seconds, at most so
many: else a target that is slower than the source would never be reached."""


class Switchable(Forwarding):
    """Forwards to the active backend. Made by :meth:`open`, which takes up an interrupted switch where it stood."""

    def __init__(self, inner: DocumentStore, entry: Entry, journal: Journal, opener: Opener) -> None:
        super().__init__(inner)
        self.entry = entry
        self.progress: Progress | None = None
        self._journal = journal
        self._opener = opener
        self._gate = asyncio.Event()
        self._gate.set()
        self._writing = 0
        self._brake = 0.0
        self._idle = asyncio.Event()
        self._flipped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._moving: asyncio.Task[None] | None = None
        self._target: DocumentStore | None = None

    @classmethod
    async def open(cls, default: str, journal: Journal, opener: Opener) -> Switchable:
        """Open the backend that the journal names (or the default), and go on with a switch that was under way."""
        entry = await journal.read() or Entry(default, 1)
        made = cls(await opener(entry.active), entry, journal, opener)
        if not entry.phase.ended:
            made._begin(entry)
        return made

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port. During the flip it waits."""
        return await self._write(lambda inner: inner.commit(operations))

    async def sweep(self) -> int:
        """See the port."""
        return await self._write(lambda inner: inner.sweep())

    async def compact(self, keep: int) -> int:
        """See the port. While a switch runs, the feed is what it lives from, and stays."""
        if self._moving is not None and not self._moving.done():
            return 0
        return await self._write(lambda inner: inner.compact(keep))

    async def _write(self, call: Callable[[DocumentStore], Awaitable[T]]) -> T:
        if self._brake:
            await asyncio.sleep(self._brake)
        while not self._gate.is_set():
            await self._gate.wait()
        self._writing += 1
        try:
            return await call(self.inner)
        finally:
            self._writing -= 1
            if not self._writing:
                self._idle.set()

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

    async def switch(self, target: str) -> Progress:
        """Begin to move to another backend; it goes on in the background. What is known of it so far.

        Raises:
            InvalidInput: the target is the active backend, holds documents already, or another switch is under way.
        """
        store = await self._checked(target)
        back = target == self.entry.previous
        since = self.entry.flipped_at if back else await self.inner.sequence()
        phase = Phase.TAILING if back else Phase.COPYING
        entry = replace(self.entry, operation=uuid4().hex, target=target, phase=phase, since=since)
        await self._journal.write(entry)
        self._target = store
        return self._begin(entry)

    async def check(self, target: str) -> None:
        """Raise what :meth:`switch` would raise, without beginning."""
        await (await self._checked(target)).close()

    async def _checked(self, target: str) -> DocumentStore:
        if self._moving is not None and self.entry.phase.ended:
            await asyncio.wait([self._moving])
        if self._moving is not None and not self._moving.done():
            raise InvalidInput("switch", f"operation {self.entry.operation} is under way", "wait for it or abort it")
        if target == self.entry.active:
            raise InvalidInput("switch", f"{target!r} serves already", "name another backend")
        store = await self._opener(target)
        if target != self.entry.previous and await store.sequence():
            await store.close()
            raise InvalidInput("switch", f"{target!r} holds documents already", "name an empty backend")
        return store

    def _begin(self, entry: Entry) -> Progress:
        self.entry = entry
        self.progress = Progress(entry.operation, entry.active, entry.target, entry.phase, entry.since, entry.since)
        self._moving = asyncio.get_running_loop().create_task(self._move())
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
        self._moving.cancel()
        await asyncio.wait([self._moving])
        if not self.entry.phase.ended:
            await self._end(Phase.ABORTED, "it was aborted")
        return self.progress

    async def _move(self) -> None:
        try:
            target = self._target or await self._opener(self.entry.target)
            self._target = target
            await self._copy(target)
            await self._flip(target, await self._catch_up(target))
        except asyncio.CancelledError:
            await self._end(Phase.ABORTED, "it was aborted")
        except StorageError as error:
            await self._end(Phase.FAILED, str(error))
        finally:
            self._brake = 0.0
            self._gate.set()

    async def _end(self, phase: Phase, reason: str) -> None:
        target, self._target = self._target, None
        self.entry = replace(self.entry, phase=phase)
        self._tell(phase=phase, reason=reason)
        await self._journal.write(self.entry)
        if target is not None and target is not self.inner:
            await target.close()

    def _tell(self, **known: object) -> None:
        if self.progress is not None:
            self.progress = replace(self.progress, **known)  # type: ignore[arg-type]  # fields of Progress

    async def _copy(self, target: DocumentStore) -> None:
        if self.entry.phase is not Phase.COPYING:
            return
        await copy_feed(self.inner, target, self.entry.since)
        await copy_documents(self.inner, target, self.entry.since, lambda copied: self._tell(copied=copied))
        self.entry = replace(self.entry, phase=Phase.TAILING)
        await self._journal.write(self.entry)
        self._tell(phase=Phase.TAILING)

    async def _catch_up(self, target: DocumentStore) -> int:
        reached = self.entry.since
        before = None
        while True:
            reached = await copy_tail(self.inner, target, reached)
            self._tell(reached=reached)
            behind = await self.inner.sequence() - reached
            if behind <= _NEAR:
                return reached
            if before is not None and behind > before * _FALLING:
                self._brake = min(max(self._brake * 2, _BRAKE), _HARDEST)
            before = behind

    async def _flip(self, target: DocumentStore, reached: int) -> None:
        begun = time.perf_counter()
        self._gate.clear()
        self._idle.clear()
        if self._writing:
            await self._idle.wait()
        while (seen := await copy_tail(self.inner, target, reached)) > reached:
            reached = seen
        await require_equal(self.inner, target)
        before, old = self.entry, self.inner
        self.entry = Entry(
            before.target, before.epoch + 1, before.operation, before.target, Phase.FLIPPED, before.since,
            before.active, reached,
        )  # fmt: skip
        await self._journal.write(self.entry)
        self.inner, self._target = target, None
        self._brake = 0.0
        flipped, self._flipped = self._flipped, asyncio.get_running_loop().create_future()
        flipped.set_result(None)
        self._gate.set()
        self._tell(phase=Phase.FLIPPED, reached=reached, pause=time.perf_counter() - begun)
        await old.close()

    async def close(self) -> None:
        """Stop a switch where it is (it goes on at the next start) and close the backends."""
        if self._moving is not None and not self._moving.done():
            moving, self._moving = self._moving, None
            self._journal = _Sealed()
            moving.cancel()
            await asyncio.wait([moving])
        await self.inner.close()


class _Sealed:
    """A journal that is not written any more: what it says is what the next start goes on from."""

    async def read(self) -> Entry | None:
        """Nobody asks."""
        raise Unavailable("the store is closed")

    async def write(self, entry: Entry) -> None:
        """Leave it as it is."""
        return
