"""Compare two stores document by document while one is written to and the other follows: little is left for the pause.

A document that was found equal stays equal until the feed names it again; then it is looked at anew. So in the moment
in which writers wait, only what they wrote last has to be compared, values included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Corrupt
from au_sys_storage_sdk.core.paging import MAX_LIMIT, Page
from au_sys_storage_sdk.core.switching.migration import PAGE_BYTES, Address, states

_AT_ONCE = 500


class Comparison:
    """What is known to be equal, by what is not: ``open`` holds the addresses that have to be looked at again."""

    def __init__(self, source: DocumentStore, target: DocumentStore) -> None:
        self._stores = (source, target)
        self.open: dict[Address, None] = {}
        self.compared = 0

    def touched(self, addresses: Iterable[Address]) -> None:
        """These have changed."""
        self.open.update(dict.fromkeys(addresses))

    async def pages(self) -> AsyncIterator[int]:
        """Go through everything that either store holds; yields after each page how much was compared."""
        spaces: set[Space] = set()
        for store in self._stores:
            spaces |= {Space(used.tenant, used.namespace) for used in await store.usage()}
        for space in sorted(spaces):
            after: str | None = ""
            while after is not None:
                after = await self._page(space, after)
                yield self.compared

    async def _page(self, space: Space, after: str) -> str | None:
        pages = [await store.scan(space, "", after, MAX_LIMIT, PAGE_BYTES, keys_only=False) for store in self._stores]
        horizon = min((page.after for page in pages if page.after is not None), default=None)
        source, target = (_until(page, horizon) for page in pages)
        self.touched((space, key) for key in source.keys() | target.keys() if source.get(key) != target.get(key))
        self.compared += len(source)
        return horizon

    async def settle(self) -> None:
        """Look again at what is open; what is equal now is not open any more."""
        looking = list(self.open)
        for start in range(0, len(looking), _AT_ONCE):
            part = looking[start : start + _AT_ONCE]
            source, target = await asyncio.gather(*(states(store, part) for store in self._stores))
            for address in part:
                if source[address] == target[address]:
                    self.open.pop(address, None)

    async def require_equal(self) -> None:
        """Look at what is open while nobody writes.

        Raises:
            Corrupt: the stores differ.
        """
        sequences = [await store.sequence() for store in self._stores]
        if sequences[0] != sequences[1]:
            raise Corrupt("the copy", f"its sequence is {sequences[1]}, the source's {sequences[0]}")
        await self.settle()
        if self.open:
            await self.settle()  # an end of life may have come between two looks
        for space, key in self.open:
            raise Corrupt("the copy", f"document {key!r} of namespace {space.namespace!r} differs from the source's")


def _until(page: Page[Stored], horizon: str | None) -> dict[str, Stored]:
    return {found.key: found for found in page.items if horizon is None or found.key <= horizon}
