"""Copy a store into another while it is written to: the feed, a snapshot in key order, then the tail of the feed.

The tail begins where the feed stood before the snapshot, and every change is followed by the state that its key has
now. So whatever is written during the copy arrives again, and repeating any part of it changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Replica, Stored
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Corrupt, FeedCompacted
from au_sys_storage_sdk.core.paging import MAX_LIMIT

_PAGE = 500
_PAGE_BYTES = 4 * 1024 * 1024

Told = Callable[[int], None]
"""Told how many documents were copied so far."""


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


async def copy_documents(source: DocumentStore, target: DocumentStore, sequence: int, told: Told) -> None:
    """Every live document of every namespace, in key order."""
    copied = 0
    for used in await source.usage():
        space, after = Space(used.tenant, used.namespace), ""
        while True:
            page = await source.scan(space, "", after, MAX_LIMIT, _PAGE_BYTES, keys_only=False)
            records: dict[tuple[Space, str], Stored | None] = {(space, found.key): found for found in page.items}
            await target.replicate(Replica(records, (), {space: used.sequence}, sequence))
            copied += len(page.items)
            told(copied)
            if page.after is None:
                break
            after = page.after


async def copy_tail(source: DocumentStore, target: DocumentStore, since: int) -> int:
    """One page of the feed after ``since`` with the present state of its keys; how far the target has come."""
    changes, seen = await source.changes(since, _PAGE)
    addresses = list(dict.fromkeys((change.space, change.key) for change in changes if change.event != "emit"))
    found = await asyncio.gather(*(source.get(space, key) for space, key in addresses))
    records: dict[tuple[Space, str], Stored | None] = dict(zip(addresses, found, strict=True))
    if seen > since:
        await target.replicate(Replica(records, tuple(changes), _last(changes), seen))
    return seen


async def require_equal(source: DocumentStore, target: DocumentStore) -> None:
    """Compare sequence and every document, while nobody writes.

    Raises:
        Corrupt: they differ.
    """
    if await source.sequence() != await target.sequence():
        raise Corrupt("the copy", "its sequence is another than the source's")
    spaces = [{Space(used.tenant, used.namespace) for used in await store.usage()} for store in (source, target)]
    for space in sorted(spaces[0] | spaces[1]):
        after: str | None = ""
        while after is not None:
            pages = [
                await store.scan(space, "", after, MAX_LIMIT, _PAGE_BYTES, keys_only=True) for store in (source, target)
            ]
            if pages[0] != pages[1]:
                raise Corrupt("the copy", f"namespace {space.namespace!r} differs after key {after!r}")
            after = pages[0].after


def _last(changes: Iterable[Change]) -> dict[Space, int]:
    return {change.space: change.seq for change in changes}
