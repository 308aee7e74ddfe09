"""Copy a store into another while it is written to: the feed, a snapshot in key order, then the tail of the feed.

The tail begins where the feed stood before the snapshot, and every change is followed by the state that its key has
now. So whatever is written during the copy arrives again, and repeating any part of it changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import FeedCompacted
from au_sys_storage_sdk.core.paging import MAX_LIMIT
from au_sys_storage_sdk.core.switching.journal import Cursor

PAGE_BYTES = 4 * 1024 * 1024
_PAGE = 2000
_AT_ONCE = 200

Address = tuple[Space, str]
Told = Callable[[int, Cursor], Awaitable[None]]
"""Told how many documents were copied by now, and the last of them."""


async def copy_feed(source: DocumentStore, target: DocumentStore, until: int) -> None:
    """Take over what the source still knows of its past, so that followers find it in the target too."""
    since = await _beginning(source)
    await target.replicate(Replica({}, (), {}, since, compacted=since))
    while since < until:
        changes, seen = await source.changes(since, _PAGE)
        wanted = tuple(change for change in changes if change.seq <= until)
        await target.replicate(Replica({}, wanted, _last(wanted), min(seen, until)))
        if seen == since:
            return
        since = seen


async def _beginning(source: DocumentStore) -> int:
    """How far back the feed reaches: the greatest sequence that is no longer kept."""
    low, high = 0, await source.sequence()
    while low < high:
        middle = (low + high) // 2
        try:
            await source.changes(middle, 1)
        except FeedCompacted:
            low = middle + 1
        else:
            high = middle
    return low


async def copy_documents(
    source: DocumentStore, target: DocumentStore, sequence: int, told: Told, cursor: Cursor | None, rate: float | None
) -> None:
    """Every live document of every namespace, in key order, from a cursor on, at most ``rate`` a second."""
    copied = 0
    for used in sorted(await source.usage(), key=lambda used: (used.tenant, used.namespace)):
        space, after = Space(used.tenant, used.namespace), ""
        if cursor is not None and (space.tenant, space.namespace) <= cursor[:2]:
            if (space.tenant, space.namespace) < cursor[:2]:
                continue
            after = cursor[2]
        while True:
            page = await source.scan(space, "", after, MAX_LIMIT, PAGE_BYTES, keys_only=False)
            records: dict[Address, Stored | None] = {(space, found.key): found for found in page.items}
            await target.replicate(Replica(records, (), {space: used.sequence}, sequence))
            copied += len(page.items)
            if page.items:
                await told(copied, (space.tenant, space.namespace, page.items[-1].key))
            if rate is not None:
                await asyncio.sleep(len(page.items) / rate)
            if page.after is None:
                break
            after = page.after


@runtime_checkable
class ManyAtOnce(Protocol):
    """A store for which many documents are one way to its server."""

    async def get_many(self, space: Space, keys: Sequence[str]) -> Sequence[Stored]:
        """Those that live, in any order. Raises ``Corrupt``."""


async def states(store: DocumentStore, addresses: Sequence[Address]) -> dict[Address, Stored | None]:
    """What lies at the addresses now."""
    if not isinstance(store, ManyAtOnce):
        each = await asyncio.gather(*(store.get(space, key) for space, key in addresses))
        return dict(zip(addresses, each, strict=True))
    by_space: dict[Space, list[str]] = {}
    for space, key in addresses:
        by_space.setdefault(space, []).append(key)
    found: dict[Address, Stored | None] = dict.fromkeys(addresses)
    for space, keys in by_space.items():
        for start in range(0, len(keys), _AT_ONCE):
            several = await store.get_many(space, keys[start : start + _AT_ONCE])
            found |= {(space, record.key): record for record in several}
    return found


async def copy_tail(source: DocumentStore, target: DocumentStore, since: int) -> tuple[int, list[Address]]:
    """One page of the feed after ``since`` with the present state of its keys; how far the target is, and what came."""
    changes, seen = await source.changes(since, _PAGE)
    addresses = list(dict.fromkeys((change.space, change.key) for change in changes if change.event != "emit"))
    records = await states(source, addresses)
    if seen > since:
        await target.replicate(Replica(records, tuple(changes), _last(changes), seen))
    return seen, addresses


def _last(changes: Iterable[Change]) -> dict[Space, int]:
    return {change.space: change.seq for change in changes}
