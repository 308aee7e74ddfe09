"""Blobs over HTTP: streamed both ways, with ranges, digests and a disposition that runs nothing."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from au_sys_storage_sdk.adapters.api.access import Desked
from au_sys_storage_sdk.adapters.api.documents import UNCHANGED
from au_sys_storage_sdk.adapters.api.headers.conditions import Stated, conditionally, stated
from au_sys_storage_sdk.adapters.api.headers.digests import Demanded, demanded, digest_header
from au_sys_storage_sdk.adapters.api.headers.idempotency import keyed
from au_sys_storage_sdk.adapters.api.headers.times import http_date
from au_sys_storage_sdk.adapters.api.uploads import begin_upload, is_part
from au_sys_storage_sdk.core.blobs.models import DEFAULT_TYPE, BlobInfo, valid_range
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.blobs.ports import OpenBlob
from au_sys_storage_sdk.core.errors import Conflict, NotFound, OutsideRange, TooLarge
from au_sys_storage_sdk.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from au_sys_storage_sdk.core.preconditions import Condition
from fastapi_services_platform import access

router = APIRouter()

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_BODY = {
    "requestBody": {"required": True, "content": {DEFAULT_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
_SANDBOX = "sandbox; default-src 'none'"


@router.head("/blobs/{namespace}")
@router.get("/blobs/{namespace}")
@access(permission="storage.blobs.read")
async def list_blobs(
    request: Request,
    desk: Desked,
    namespace: str,
    prefix: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
) -> Response:
    """Blobs in key order."""
    blobs, _ = desk.reach(request).blobs(namespace)
    page = await blobs.list(prefix, after, limit)
    return Response(msgspec.json.encode({"items": page.items, "after": page.after}), media_type="application/json")


@router.put("/blobs/{namespace}/{key:path}", openapi_extra=_BODY, responses={201: {"description": "Created"}})
@access(permission="storage.blobs.write")
async def write_blob(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Store the body as it streams in; ``Repr-Digest`` is checked, ``If-Match`` and ``If-None-Match: *`` are kept.

    With ``Upload-Complete: ?0`` the body is the first part of a resumable upload.
    """
    reach = await desk.writer(request)
    blobs, policy = reach.blobs(namespace, writes=True)
    condition = await condition_for(stated(request), blobs, key)
    policy.demand(namespace, condition)
    if is_part(request):
        return await begin_upload(request, reach, blobs, key, condition)
    which = keyed(request, reach.tenant, reach.caller)
    body = Checked(request.stream(), policy.max_blob, demanded(request), digests=which is not None)

    async def work() -> Response:
        content_type = request.headers.get("content-type", DEFAULT_TYPE)
        replaced = await blobs.head(key) is not None
        info = await blobs.write(key, body, if_match=condition, content_type=content_type)
        reach.uploaded(namespace, info)
        return stored(info, 200 if replaced else 201)

    return await reach.once_claimed(which, body.digest, work)


def stored(info: BlobInfo, status: int) -> Response:
    """The answer to a write."""
    return Response(msgspec.json.encode(info), status, media_type="application/json", headers=_tag(info))


async def condition_for(asked: Stated, blobs: Blobs, key: str) -> Condition:
    """The condition that is decided again at the commit, after the body has streamed in."""
    stated_condition: list[Condition] = []

    async def version() -> int | None:
        known = await blobs.head(key)
        return None if known is None else known.version

    async def take(condition: Condition) -> None:
        stated_condition.append(condition)

    await conditionally(asked, version, take, blobs.namespace, key)
    return stated_condition[-1]


class Checked:
    """A body on its way in, held to a limit and to a digest."""

    def __init__(self, body: AsyncIterator[bytes], limit: int | None, expected: Demanded, *, digests: bool) -> None:
        self._body = body
        self._limit = limit
        self._expected = expected
        self._digests = digests or expected.digest is not None
        self._digest = hashlib.sha256()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._body:
            size += len(piece)
            if self._limit is not None and size > self._limit:
                raise TooLarge("blob", self._limit)
            if self._digests:
                self._digest.update(piece)
            yield piece
        self._expected.compare(self._digest.digest())

    async def digest(self) -> str:
        """SHA-256 of the whole body; reads what was not read yet."""
        async for piece in self._body:
            self._digest.update(piece)
        return self._digest.hexdigest()


@router.get(
    "/blobs/{namespace}/{key:path}",
    response_class=StreamingResponse,
    responses={206: {"description": "A part"}, **UNCHANGED},
)
@access(permission="storage.blobs.read")
async def read_blob(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """The bytes, or the one range that is asked for."""
    blobs, _ = desk.reach(request).blobs(namespace)
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


@router.head("/blobs/{namespace}/{key:path}", responses=UNCHANGED)
@access(permission="storage.blobs.read")
async def probe_blob(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Size, type, digest and version."""
    blobs, _ = desk.reach(request).blobs(namespace)
    info = await blobs.info(key)
    asked = stated(request).if_none_match
    if asked is not None and asked.match(info.version):
        return Response(status_code=304, headers=_headers(info))
    headers = {**_headers(info), "Content-Length": str(info.size)}
    return Response(headers=headers)


@router.delete("/blobs/{namespace}/{key:path}", status_code=204)
@access(permission="storage.blobs.write", reversibility="irreversible")
async def delete_blob(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Remove a blob."""
    reach = await desk.writer(request)
    blobs, policy = reach.blobs(namespace, writes=True)
    condition = await condition_for(stated(request), blobs, key)
    policy.demand(namespace, condition)

    async def work() -> Response:
        if not await blobs.delete(key, if_match=condition):
            raise NotFound(namespace, key)
        reach.removed(namespace, key)
        return Response(status_code=204)

    return await reach.once_claimed(keyed(request, reach.tenant, reach.caller), _nothing, work)


async def _nothing() -> str:
    return ""


def _headers(info: BlobInfo) -> dict[str, str]:
    name = quote(info.key.rpartition("/")[2] or "blob", safe="")
    return {
        **_tag(info),
        "Content-Type": info.content_type,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": _SANDBOX,
        "Last-Modified": http_date(info.updated),
        "Repr-Digest": digest_header(bytes.fromhex(info.sha256)),
        "Storage-Times": f"{info.created},{info.updated}",
    }


def _tag(info: BlobInfo) -> dict[str, str]:
    return {"ETag": f'"{info.version}"'}
