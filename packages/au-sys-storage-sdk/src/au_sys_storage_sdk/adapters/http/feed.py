"""The change feed of a namespace as server-sent events: in order, without gaps, whatever breaks off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

import httpx
import msgspec

from au_sys_storage_sdk.adapters.http.wire import Call, Wire
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Change, Event
from au_sys_storage_sdk.core.errors import FeedCompacted, Unavailable

_ATTEMPTS = 5


class _Data(msgspec.Struct):
    """What an event carries."""

    key: str = ""
    version: int = 0
    at: int = 0
    data: msgspec.Raw = msgspec.Raw()
    snapshot_seq: int = 0


async def follow(wire: Wire, listing: Call, space: Space, since: int, prefix: str) -> AsyncIterator[Change]:
    """Every change after ``since``, for as long as the caller asks.

    Raises:
        FeedCompacted: changes after ``since`` are no longer kept.
        Unavailable: the server was away for several tries in a row.
    """
    failed = 0
    while True:
        try:
            async for change in _events(wire, listing, space, since, prefix):
                since, failed = change.seq, 0
                yield change
        except FeedCompacted as error:
            raise FeedCompacted(since, error.snapshot_seq) from error
        except Unavailable as error:
            failed += 1
            if failed == _ATTEMPTS:
                raise
            await wire.pause(failed, error.retry_after)


async def part(wire: Wire, listing: Call, space: Space, since: int, upto: int) -> AsyncIterator[Change]:
    """The changes after ``since`` up to and with ``upto``, the last one that there is."""
    try:
        async for change in _events(wire, listing, space, since, ""):
            if change.seq <= upto:
                yield change
            if change.seq >= upto:
                return
    except FeedCompacted as error:
        raise FeedCompacted(since, error.snapshot_seq) from error


async def _events(wire: Wire, listing: Call, space: Space, since: int, prefix: str) -> AsyncIterator[Change]:
    call = replace(
        listing, path=f"{listing.path}:watch", params={"since": since, "prefix": prefix},
        headers={"Accept": "text/event-stream"},
    )  # fmt: skip
    async with wire.stream(call, patient=True) as response:
        async for seq, event, data in _parsed(response):
            if event == "compacted":
                raise FeedCompacted(since, data.snapshot_seq)
            text = bytes(data.data) or None
            kind = cast(Event, event)  # the server tells the events of a feed
            yield Change(seq, space, data.key, kind, data.at, text)


async def _parsed(response: httpx.Response) -> AsyncIterator[tuple[int, str, _Data]]:
    """Events in the form that the server gives them: one line each of id, event and data."""
    seq, event, data = 0, "", ""
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            seq = int(value)
        elif name == "event":
            event = value
        elif name == "data":
            data = value
        elif not line and event:
            yield seq, event, msgspec.json.decode(data, type=_Data)
            event = ""
