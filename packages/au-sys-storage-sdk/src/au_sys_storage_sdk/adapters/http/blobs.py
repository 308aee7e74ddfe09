"""Blobs on another platform: streamed both ways, large ones in parts that may be sent again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import msgspec

from au_sys_storage_sdk.adapters.http.answers import not_storage, times_of, version_of
from au_sys_storage_sdk.adapters.http.downloads import HttpBlob
from au_sys_storage_sdk.adapters.http.uploads import PART, Part, conditional, digest_field, in_parts, upload
from au_sys_storage_sdk.adapters.http.wire import Call, Wire, address, fresh_key
from au_sys_storage_sdk.core.address import DEFAULT_TENANT, Space
from au_sys_storage_sdk.core.blobs.models import BlobInfo, Usage
from au_sys_storage_sdk.core.blobs.ports import Method
from au_sys_storage_sdk.core.documents.models import Feature
from au_sys_storage_sdk.core.errors import Corrupt, NotFound, OutcomeUnknown, Unavailable, Unsupported
from au_sys_storage_sdk.core.paging import Page
from au_sys_storage_sdk.core.preconditions import Condition


class _List(msgspec.Struct):
    """A page."""

    items: list[BlobInfo]
    after: str | None


class _Used(msgspec.Struct):
    """What a namespace holds."""

    namespace: str
    blobs: int
    blob_bytes: int


class _Status(msgspec.Struct):
    """The part of the status that is asked for here."""

    namespaces: list[_Used]


class HttpBlobs:
    """A BlobStore behind the HTTP API. The tenant is that of the credential."""

    name = "http"
    features = frozenset({Feature.CAS, Feature.SCAN, Feature.RANGE})

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._closed = False

    def _call(self, method: str, space: Space, *key: str, **parts: Any) -> Call:  # Any: fields of Call
        if self._closed:
            raise Unavailable("the store is closed")
        if space.tenant != DEFAULT_TENANT:
            raise Unsupported(self.name, "another tenant than the credential's")
        return Call(method, address("blobs", space.namespace, *key), space.namespace, key[0] if key else "", **parts)

    async def write(
        self, space: Space, key: str, chunks: AsyncIterator[bytes], condition: Condition, content_type: str
    ) -> BlobInfo:
        """See the port. What fits into one part goes in one request; more goes as a resumable upload."""
        call = self._call("PUT", space, key, headers={"Content-Type": content_type, **conditional(condition)})
        parts = in_parts(chunks, PART)
        first = await anext(parts)
        second = None if len(first) < PART else await anext(parts, None)
        if second is None:
            headers = {
                **call.headers, "Repr-Digest": digest_field(hashlib.sha256(first)), "Idempotency-Key": fresh_key(),
            }  # fmt: skip
            return _info(await self._wire.send(replace(call, headers=headers, content=first)))
        digest = hashlib.sha256()
        try:
            info = _info(await upload(self._wire, call, _joined(first, second, parts), digest))
        except OutcomeUnknown:
            found = await self.head(space, key)
            if found is None or found.sha256 != digest.hexdigest():
                raise
            return found
        if info.sha256 != digest.hexdigest():
            raise Corrupt(f"blob {key[:80]!r}", "the server has stored other bytes than were sent")
        return info

    async def open(self, space: Space, key: str) -> HttpBlob:
        """See the port."""
        found = await self.head(space, key)
        if found is None:
            raise NotFound(space.namespace, key)
        return HttpBlob(self._wire, self._call("GET", space, key), found)

    async def head(self, space: Space, key: str) -> BlobInfo | None:
        """See the port."""
        try:
            response = await self._wire.send(self._call("HEAD", space, key))
        except NotFound:
            return None
        return _probed(key, response)

    async def delete(self, space: Space, key: str, condition: Condition) -> bool:
        """See the port."""
        headers = {**conditional(condition), "Idempotency-Key": fresh_key()}
        try:
            await self._wire.send(self._call("DELETE", space, key, headers=headers))
        except NotFound:
            return False
        return True

    async def list(self, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]:
        """See the port."""
        asked: dict[str, str | int] = {"prefix": prefix, "after": after, "limit": limit}
        response = await self._wire.send(self._call("GET", space, params=asked))
        try:
            page = msgspec.json.decode(response.content, type=_List)
        except msgspec.DecodeError:
            not_storage(response)
        return Page(tuple(page.items), page.after)

    async def copy(self, space: Space, key: str, target: Space, target_key: str, condition: Condition) -> BlobInfo:
        """See the port. The API has no call for it: the bytes come here and go back, a piece at a time."""
        source = await self.open(space, key)
        try:
            pieces = source.read(0, source.info.size)
            return await self.write(target, target_key, pieces, condition, source.info.content_type)
        finally:
            await source.close()

    async def presign(self, space: Space, key: str, method: Method, seconds: int) -> str:
        """The API knows its callers; it gives out no addresses for strangers."""
        raise Unsupported(self.name, Feature.PRESIGN.value)

    async def usage(self) -> Sequence[Usage]:
        """See the port; the caller's own tenant. Needs the right ``storage.backends.read``."""
        response = await self._wire.send(Call("GET", "/storage"))
        try:
            used = msgspec.json.decode(response.content, type=_Status).namespaces
        except msgspec.DecodeError:
            not_storage(response)
        return [Usage(DEFAULT_TENANT, item.namespace, item.blobs, item.blob_bytes) for item in used if item.blobs]

    async def sweep(self) -> int:
        """The server does it by itself."""
        return 0

    async def ping(self) -> None:
        """See the port."""
        await self._wire.send(Call("GET", "/health/ready"))

    async def close(self) -> None:
        """Close the connections."""
        self._closed = True
        await self._wire.close()


async def _joined(first: bytes, second: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[Part]:
    waiting = second
    yield Part(first, last=False)
    async for piece in rest:
        yield Part(waiting, last=False)
        waiting = piece
    yield Part(waiting, last=True)


def _info(response: httpx.Response) -> BlobInfo:
    try:
        return msgspec.json.decode(response.content, type=BlobInfo)
    except msgspec.DecodeError:
        not_storage(response)


def _probed(key: str, response: httpx.Response) -> BlobInfo:
    try:
        size = int(response.headers["content-length"])
        digest = base64.b64decode(response.headers["repr-digest"].removeprefix("sha-256=:").rstrip(":"), validate=True)
        kind = response.headers["content-type"]
    except (KeyError, ValueError):
        not_storage(response)
    created, updated = times_of(response)
    return BlobInfo(key, size, digest.hex(), version_of(response), created, updated, kind)
