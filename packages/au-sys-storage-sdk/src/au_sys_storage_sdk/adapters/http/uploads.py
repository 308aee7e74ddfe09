"""A blob in parts, each of which may be sent again: what the server has got is asked before."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import httpx

from au_sys_storage_sdk.adapters.http.answers import not_storage
from au_sys_storage_sdk.adapters.http.wire import Call, Wire
from au_sys_storage_sdk.core.errors import NotFound, OffsetMismatch, OutcomeUnknown, StorageError, Unavailable
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition

PART = 8 * 1024 * 1024
"""Bytes of a part: what is held in memory."""

Digest: TypeAlias = "hashlib._Hash"

_TYPE = "application/partial-upload"


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a blob, and whether they are its end."""

    content: bytes
    last: bool


async def in_parts(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The same bytes in parts of exactly ``size``, the last one shorter; at least one, empty or not."""
    waiting, sent = bytearray(), False
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
            sent = True
    if waiting or not sent:
        yield bytes(waiting)


def conditional(condition: Condition) -> dict[str, str]:
    """A condition as the header that states it."""
    if condition is None:
        return {}
    return {"If-None-Match": "*"} if condition is ABSENT else {"If-Match": f'"{condition}"'}


def digest_field(digest: Digest) -> str:
    """A digest as in RFC 9530."""
    return f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


async def upload(wire: Wire, call: Call, parts: AsyncIterator[Part], whole: Digest) -> httpx.Response:
    """Send all parts; the answer to the last one. ``whole`` grows with them. What breaks off is given up.

    Raises:
        OutcomeUnknown: the answer to the last part was lost; the blob may be stored.
    """
    first = await anext(parts)
    whole.update(first.content)
    begun = await wire.send(_begin(call, first))
    location = begun.headers.get("location")
    if location is None:
        not_storage(begun)
    sending = _Sending(wire, replace(call, method="PATCH", path=location, headers={}), len(first.content))
    try:
        async for part in parts:
            whole.update(part.content)
            answer = await sending.send(part)
    except BaseException:
        await sending.give_up()
        raise
    return answer


def _begin(call: Call, first: Part) -> Call:
    headers = {
        **call.headers, "Upload-Complete": "?0", "Content-Digest": digest_field(hashlib.sha256(first.content)),
    }  # fmt: skip
    return replace(call, headers=headers, content=first.content)


class _Sending:
    """Where an upload is."""

    def __init__(self, wire: Wire, call: Call, offset: int) -> None:
        self._wire = wire
        self._call = call
        self._offset = offset

    async def send(self, part: Part) -> httpx.Response:
        """Send a part; what of it has arrived before is not sent again."""
        begins, tried = self._offset, False
        self._offset += len(part.content)

        async def attempt() -> httpx.Response:
            nonlocal tried
            arrived = await self._arrived() if tried else begins
            tried = True
            try:
                return await self._wire.once(self._patch(part.content[arrived - begins :], arrived, last=part.last))
            except OffsetMismatch as error:
                raise OutcomeUnknown(str(error)) from error

        try:
            return await self._wire.again(attempt, repeatable=True)
        except (Unavailable, NotFound) as error:  # not found: the upload has ended, and its answer was lost
            raise OutcomeUnknown(str(error)) from error

    def _patch(self, content: bytes, offset: int, *, last: bool) -> Call:
        headers = {
            "Content-Type": _TYPE, "Upload-Offset": str(offset), "Upload-Complete": "?1" if last else "?0",
            "Content-Digest": digest_field(hashlib.sha256(content)),
        }  # fmt: skip
        return replace(self._call, headers=headers, content=content)

    async def _arrived(self) -> int:
        probed = await self._wire.once(replace(self._call, method="HEAD"))
        try:
            return int(probed.headers["upload-offset"])
        except (KeyError, ValueError):
            not_storage(probed)

    async def give_up(self) -> None:
        """Tell the server; when that fails, the upload ends by itself."""
        try:
            await self._wire.once(replace(self._call, method="DELETE"))
        except StorageError:
            return
