"""Following the change feed: in order, without gaps, from any point that is still kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias, runtime_checkable
from weakref import WeakKeyDictionary

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Unsupported

_PAGE = 500

Found: TypeAlias = tuple[Mapping[Space, Sequence[Change]], Sequence[Change], int]
"""A page of the feed by namespace and as a whole, and how far was looked."""


@runtime_checkable
class Following(Protocol):
    """A store that tells changes by itself, so that nobody has to look for them."""

    def follow(self, since: int, space: Space | None, prefix: str) -> AsyncIterator[Change]:
        """Every change after ``since``; see :func:`follow`."""


class Arrival:
    """Wakes whoever waits for a sequence to be passed; used by backends in whose process all writes happen."""

    def __init__(self, sequence: int = 0) -> None:
        self.sequence = sequence
        self._event = asyncio.Event()
        self._closed = False

    def advance(self, sequence: int) -> None:
        """Tell that everything up to ``sequence`` is committed."""
        if sequence > self.sequence:
            self.sequence = sequence
            self._wake()

    def close(self) -> None:
        """Let everybody go."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, since: int) -> bool:
        """Return when the sequence is greater than ``since``; ``False`` once closed."""
        while self.sequence <= since and not self._closed:
            await self._event.wait()
        return not self._closed


class _Look:
    """A look for what comes after a sequence, and who waits for what it finds."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[Found]) -> None:
        self.task = task
        self.waiting: dict[asyncio.Future[Found], None] = {}

    def tell(self) -> None:
        """Hand everybody what was found, or why nothing was."""
        failed = None if self.task.cancelled() else self.task.exception()
        for future in self.waiting:
            if future.done():
                continue
            if self.task.cancelled():
                future.cancel()
            elif failed is not None:
                future.set_exception(failed)
            else:
                future.set_result(self.task.result())


class Lookout:
    """One look into the feed for everybody who stands at the same place: of a thousand followers nearly all do."""

    def __init__(self) -> None:
        self._looks: dict[int, _Look] = {}

    async def after(self, store: DocumentStore, since: int) -> Found:
        """The next page of the feed, as soon as there is one. Raises as ``store.changes``."""
        loop = asyncio.get_running_loop()
        look = self._looks.get(since)
        if look is None:
            look = self._looks[since] = _Look(loop.create_task(self._look(store, since)))
            look.task.add_done_callback(partial(self._done, since, look))
        future: asyncio.Future[Found] = loop.create_future()  # of one's own: whoever is cancelled takes nobody along
        look.waiting[future] = None
        try:
            return await future
        finally:
            look.waiting.pop(future, None)
            if not look.waiting:
                look.task.cancel()
                self._forget(since, look)

    def _done(self, since: int, look: _Look, task: asyncio.Task[Found]) -> None:
        self._forget(since, look)
        look.tell()

    def _forget(self, since: int, look: _Look) -> None:
        if self._looks.get(since) is look:
            del self._looks[since]

    async def _look(self, store: DocumentStore, since: int) -> Found:
        while True:
            changes, seen = await store.changes(since, _PAGE)
            if seen > since:
                break
            await store.wait(since)
        by_space: dict[Space, list[Change]] = {}
        for change in changes:
            by_space.setdefault(change.space, []).append(change)
        return by_space, changes, seen


_lookouts: WeakKeyDictionary[DocumentStore, Lookout] = WeakKeyDictionary()


async def _alone(store: DocumentStore, since: int, space: Space) -> Found:
    """The next page of one namespace, of a store that has no feed of all."""
    while True:
        changes, seen = await store.changes(since, _PAGE, space)
        if seen > since:
            return {space: list(changes)}, changes, seen
        await store.wait(since)


def forget() -> None:
    """Let go of looks under way: for whoever puts another store in the place of one, as tests do."""
    _lookouts.clear()


async def follow(
    store: DocumentStore, since: int, space: Space | None = None, prefix: str = ""
) -> AsyncIterator[Change]:
    """Every change after ``since`` of a namespace (or of all), for as long as the caller asks.

    Raises:
        FeedCompacted: changes after ``since`` are no longer kept.
    """
    if isinstance(store, Following):
        async for change in store.follow(since, space, prefix):
            yield change
        return
    lookout = _lookouts.setdefault(store, Lookout())
    while True:
        try:
            by_space, everything, since = await lookout.after(store, since)
        except Unsupported:
            if space is None:
                raise
            by_space, everything, since = await _alone(store, since, space)
        for change in everything if space is None else by_space.get(space, ()):
            if change.key.startswith(prefix):
                yield change
