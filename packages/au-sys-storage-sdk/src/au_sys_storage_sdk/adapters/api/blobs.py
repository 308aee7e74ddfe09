"""Blobs over HTTP: streamed both ways, with ranges, digests and a disposition that runs nothing."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from au_sys_storage_sdk.adapters.api.access import Reached
from au_sys_storage_sdk.adapters.api.conditions import Stated, conditionally, stated
from au_sys_storage_sdk.core.blobs.models import DEFAULT_TYPE, BlobInfo, valid_range
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.blobs.ports import OpenBlob
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound, OutsideRange, TooLarge
from au_sys_storage_sdk.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from au_sys_storage_sdk.core.preconditions import Condition
from fastapi_services_platform import access

router = APIRouter()

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]{1,64}):", re.ASCII)
_BODY = {
    "requestBody": {"required": True, "content": {DEFAULT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
_SANDBOX = "sandbox; default-src 'none'"


@router.get("/blobs/{namespace}")
@access(permission="storage.blobs.read")
async def list_blobs(
    reach: Reached,
    namespace: str,
    prefix: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> Response:
    """Blobs in key order."""
    blobs, _ = reach.blobs(namespace)
    page = await blobs.list(prefix, after, limit)
    return Response(msgspec.json.encode({"items": page.items, "after": page.after}), media_type="application/json")


@router.put("/blobs/{namespace}/{key:path}", openapi_extra=_BODY, responses={201: {"description": "Created"}})
@access(permission="storage.blobs.write")
async def write_blob(request: Request, reach: Reached, namespace: str, key: str) -> Response:
    """Store the body as it streams in; ``Repr-Digest`` is checked, ``If-Match`` and ``If-None-Match: *`` are kept."""
    blobs, policy = reach.blobs(namespace)
    asked = stated(request)
    condition = await _condition(asked, blobs, key)
    policy.demand(namespace, condition)
    content_type = request.headers.get("content-type", DEFAULT_TYPE)
    body = _checked(request.stream(), policy.max_blob, _digest(request))
    replaced = await blobs.head(key) is not None
    info = await blobs.write(key, body, if_match=condition, content_type=content_type)
    status = 200 if replaced else 201
    return Response(msgspec.json.encode(info), status, media_type="application/json", headers=_tag(info))


async def _condition(asked: Stated, blobs: Blobs, key: str) -> Condition:
    """The condition that is decided again at the commit, after the body has streamed in."""
    stated_condition: list[Condition] = []

    async def version() -> int | None:
        known = await blobs.head(key)
        return None if known is None else known.version

    async def take(condition: Condition) -> None:
        stated_condition.append(condition)

    await conditionally(asked, version, take, blobs.namespace, key)
    return stated_condition[-1]


async def _checked(body: AsyncIterator[bytes], limit: int | None, expected: bytes | None) -> AsyncIterator[bytes]:
    size, digest = 0, hashlib.sha256()
    async for piece in body:
        size += len(piece)
        if limit is not None and size > limit:
            raise TooLarge("blob", limit)
        if expected is not None:
            digest.update(piece)
        yield piece
    if expected is not None and digest.digest() != expected:
        raise InvalidInput("Repr-Digest", "the body has another SHA-256", "send it again; nothing was stored")


def _digest(request: Request) -> bytes | None:
    text = request.headers.get("repr-digest") or request.headers.get("content-digest")
    if text is None:
        return None
    found = _DIGEST.search(text)
    try:
        return base64.b64decode(found[1], validate=True) if found else None
    except ValueError:
        raise InvalidInput("Repr-Digest", "it is not base64", "send sha-256=:…: (RFC 9530)") from None


@router.get("/blobs/{namespace}/{key:path}", response_class=StreamingResponse)
@access(permission="storage.blobs.read")
async def read_blob(request: Request, reach: Reached, namespace: str, key: str) -> Response:
    """The bytes, or the one range that is asked for."""
    blobs, _ = reach.blobs(namespace)
    opened = await blobs.open(key)
    try:
        return _answer(request, opened)
    except BaseException:
        await opened.close()
        raise


def _answer(request: Request, opened: OpenBlob) -> Response:
    info, headers = opened.info, _headers(opened.info)
    asked = stated(request)
    if asked.if_match is not None and not asked.if_match.match(info.version):
        raise Conflict("blobs", info.key, None, info.version)
    if asked.if_none_match is not None and asked.if_none_match.match(info.version):
        return StreamingResponse(_pieces(opened, 0, 0), 304, headers=headers)
    part = _part(request, info)
    start, end = part or (0, info.size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
    status = 200 if part is None else 206
    return StreamingResponse(_pieces(opened, start, end), status, headers=headers)


async def _pieces(opened: OpenBlob, start: int, end: int) -> AsyncIterator[bytes]:
    try:
        if end > start:
            async for piece in opened.read(start, end):
                yield piece
    finally:
        await opened.close()


def _part(request: Request, info: BlobInfo) -> tuple[int, int] | None:
    """Start and exclusive end of the one range asked for; several ranges, or another version, are answered whole."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    condition = request.headers.get("if-range")
    if found is None or found[0] == "bytes=-" or (condition is not None and condition != _tag(info)["ETag"]):
        return None
    if found[1] == "":
        length = int(found[2])
        if length == 0 or info.size == 0:
            raise OutsideRange(info.size, None, info.size)
        return max(info.size - length, 0), info.size
    start, end = int(found[1]), int(found[2]) + 1 if found[2] else None
    if end is not None and end <= start:
        return None
    if start >= info.size:
        raise OutsideRange(start, end, info.size)
    return valid_range(start, end, info.size)


@router.head("/blobs/{namespace}/{key:path}")
@access(permission="storage.blobs.read")
async def probe_blob(reach: Reached, namespace: str, key: str) -> Response:
    """Size, type, digest and version."""
    blobs, _ = reach.blobs(namespace)
    info = await blobs.info(key)
    headers = {**_headers(info), "Content-Length": str(info.size)}
    return Response(headers=headers)


@router.delete("/blobs/{namespace}/{key:path}", status_code=204)
@access(permission="storage.blobs.write")
async def delete_blob(request: Request, reach: Reached, namespace: str, key: str) -> Response:
    """Remove a blob."""
    blobs, policy = reach.blobs(namespace)
    condition = await _condition(stated(request), blobs, key)
    policy.demand(namespace, condition)
    if not await blobs.delete(key, if_match=condition):
        raise NotFound(namespace, key)
    return Response(status_code=204)


def _headers(info: BlobInfo) -> dict[str, str]:
    name = quote(info.key.rpartition("/")[2] or "blob", safe="")
    return {
        **_tag(info),
        "Content-Type": info.content_type,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": _SANDBOX,
        "Last-Modified": formatdate(info.updated / 1000, usegmt=True),
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(info.sha256)).decode()}:",
    }


def _tag(info: BlobInfo) -> dict[str, str]:
    return {"ETag": f'"{info.version}"'}
