"""Following the change feed: in order, without gaps, from any point that is still kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change
from au_sys_storage_sdk.core.documents.ports import DocumentStore

_PAGE = 500


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
    while True:
        changes, seen = await store.changes(since, _PAGE, space)
        for change in changes:
            if change.key.startswith(prefix):
                yield change
        if seen > since:
            since = seen
            continue
        await store.wait(since)
