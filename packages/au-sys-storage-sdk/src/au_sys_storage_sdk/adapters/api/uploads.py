"""Resumable uploads (the shape of draft-ietf-httpbis-resumable-upload): a blob in parts, each of which may be cut off.

``PUT /blobs/{namespace}/{key}`` with ``Upload-Complete: ?0`` begins one and names its address in ``Location``. There
``HEAD`` tells how far it is (``Upload-Offset``), ``PATCH`` goes on from there, ``?1`` ends it, ``DELETE`` gives it up.
What has arrived of a part that breaks off is kept, in pieces that fit into memory. The key and its condition are
decided when the upload is complete; nothing is seen before.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from au_sys_storage_sdk.adapters.api.access import UPLOADS, Desked, Reach
from au_sys_storage_sdk.adapters.api.headers.digests import Demanded, demanded, digest_header
from au_sys_storage_sdk.core.blobs.models import DEFAULT_TYPE, BlobInfo, valid_type
from au_sys_storage_sdk.core.blobs.namespace import Blobs
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound, OffsetMismatch, TooLarge
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition, require
from au_sys_storage_sdk.core.storage import Storage
from fastapi_services_platform import access

router = APIRouter()

PART_TYPE = "application/partial-upload"
KEPT_SECONDS = 24 * 3600
_DONE: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI, as FastAPI takes it
    200: {"description": "Complete: replaced"},
    201: {"description": "Complete: created"},
}
_PIECE = 8 * 1024 * 1024
_BODY = {"requestBody": {"required": True, "content": {PART_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}


class Upload(msgspec.Struct, frozen=True):
    """An upload under way. ``condition``: 0 for none, -1 for a new key, else a version."""

    namespace: str
    key: str
    caller: str
    content_type: str
    condition: int
    digest: str
    offset: int = 0


def is_part(request: Request) -> bool:
    """Whether the body is a part, and more will follow."""
    return not _complete(request, default=True)


def _complete(request: Request, *, default: bool) -> bool:
    text = request.headers.get("upload-complete")
    if text is None:
        return default
    if text not in {"?0", "?1"}:
        raise InvalidInput("Upload-Complete", f"{text[:20]!a} is no boolean", "send ?0 or ?1")
    return text == "?1"


async def begin_upload(request: Request, reach: Reach, blobs: Blobs, key: str, condition: Condition) -> Response:
    """Open an upload with its first part; its address is in ``Location``."""
    stored = await blobs.head(key)
    require(condition, None if stored is None else stored.version, blobs.namespace, key)
    known = -1 if condition is ABSENT else condition or 0
    content_type = valid_type(request.headers.get("content-type", DEFAULT_TYPE))
    digest = (demanded(request, ("Repr-Digest",)).digest or b"").hex()
    upload = Upload(blobs.namespace, key, reach.caller, content_type, known, digest)
    name = secrets.token_hex(16)
    await reach.pending().put(name, msgspec.to_builtins(upload), if_match=ABSENT, ttl=KEPT_SECONDS)
    upload = await _take(request, reach, name, upload)
    headers = {**_state(upload, complete=False), "Location": f"/blobs/{blobs.namespace}:uploads/{name}"}
    return Response(status_code=201, headers=headers)


@router.head("/blobs/{namespace}:uploads/{upload}", status_code=204)
@access(permission="storage.blobs.write")
async def probe_upload(request: Request, desk: Desked, namespace: str, upload: str) -> Response:
    """How many bytes have arrived."""
    found, _ = await _found(desk.reach(request), namespace, upload)
    return Response(status_code=204, headers={**_state(found, complete=False), "Cache-Control": "no-store"})


@router.patch("/blobs/{namespace}:uploads/{upload}", openapi_extra=_BODY, status_code=204, responses=_DONE)
@access(permission="storage.blobs.write")
async def append_part(request: Request, desk: Desked, namespace: str, upload: str) -> Response:
    """The next part; with ``Upload-Complete: ?1`` it is the last one, and the blob is stored."""
    reach = await desk.writer(request)
    found, _ = await _found(reach, namespace, upload)
    complete = _complete(request, default=False)
    given = _offset(request)
    if given != found.offset:
        raise OffsetMismatch(found.offset, given)
    found = await _take(request, reach, upload, found)
    if not complete:
        return Response(status_code=204, headers=_state(found, complete=False))
    blobs, _ = reach.blobs(namespace, writes=True)
    condition: Condition = ABSENT if found.condition == -1 else found.condition or None
    replaced = await blobs.head(found.key) is not None
    info = await blobs.write(
        found.key, _joined(reach, upload, found), if_match=condition, content_type=found.content_type
    )
    reach.uploaded(namespace, info)
    await reach.noted()
    await _forget(reach, upload)
    headers = {**_state(found, complete=True), "ETag": f'"{info.version}"', "Repr-Digest": _digest_of(info)}
    content = msgspec.json.encode(info)
    return Response(content, 200 if replaced else 201, media_type="application/json", headers=headers)


def _digest_of(info: BlobInfo) -> str:
    return digest_header(bytes.fromhex(info.sha256))


@router.delete("/blobs/{namespace}:uploads/{upload}", status_code=204)
@access(permission="storage.blobs.write", reversibility="irreversible")
async def abandon_upload(request: Request, desk: Desked, namespace: str, upload: str) -> Response:
    """Give an upload up."""
    reach = desk.reach(request)
    await _found(reach, namespace, upload)
    await _forget(reach, upload)
    return Response(status_code=204)


async def _found(reach: Reach, namespace: str, name: str) -> tuple[Upload, int]:
    reach.blobs(namespace, writes=True)
    known = await reach.pending().get(name)
    if known is None:
        raise NotFound(f"{namespace}:uploads", name)
    upload = msgspec.convert(known.value, Upload)
    if (upload.namespace, upload.caller) != (namespace, reach.caller):
        raise NotFound(f"{namespace}:uploads", name)
    return upload, known.version


def _offset(request: Request) -> int:
    text = request.headers.get("upload-offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput("Upload-Offset", f"{text[:20]!a} is no number of bytes", "send what HEAD tells")
    return int(text)


def _state(upload: Upload, *, complete: bool) -> dict[str, str]:
    return {"Upload-Offset": str(upload.offset), "Upload-Complete": "?1" if complete else "?0"}


async def _take(request: Request, reach: Reach, name: str, upload: Upload) -> Upload:
    """Keep what comes, piece by piece; what came before the connection broke stays."""
    _, policy = reach.blobs(upload.namespace, writes=True)
    part = demanded(request, ("Content-Digest",))
    body = await _whole_if_digested(request, part)
    async for piece in _pieces(body):
        if policy.max_blob is not None and upload.offset + len(piece) > policy.max_blob:
            await _forget(reach, name)
            raise TooLarge("blob", policy.max_blob)
        upload = await _append(reach, name, upload, piece)
    return upload


async def _whole_if_digested(request: Request, part: Demanded) -> AsyncIterator[bytes]:
    """A part with a digest is looked at before anything of it is kept, so it has to fit into memory."""
    if part.digest is None:
        return request.stream()
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > 2 * _PIECE:
            raise TooLarge("part with a Content-Digest", 2 * _PIECE)
        pieces.append(piece)
    whole = b"".join(pieces)
    part.check(whole)
    return _one(whole)


async def _one(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    waiting, size, broken = [], 0, None
    try:
        async for piece in body:
            waiting.append(piece)
            size += len(piece)
            if size >= _PIECE:
                yield b"".join(waiting)
                waiting, size = [], 0
    except Exception as error:  # the line broke: what came before it counts
        broken = error
    if size:
        yield b"".join(waiting)
    if broken is not None:
        raise broken


async def _append(reach: Reach, name: str, upload: Upload, piece: bytes) -> Upload:
    """Store a piece, then count it. Of two who send the same part at once, one is told to look where the upload is."""
    pending, parts = reach.pending(), reach.parts()
    known = await pending.get(name)
    at = 0 if known is None else msgspec.convert(known.value, Upload).offset
    if known is None or at != upload.offset:
        raise OffsetMismatch(at, upload.offset)
    key, version = f"{name}/{upload.offset:019}", known.version
    grown = msgspec.structs.replace(upload, offset=upload.offset + len(piece))
    try:
        left = await parts.head(key)
        if left is not None:  # of a part that was never counted; from here on whoever wrote it cannot count it either
            version = await pending.put(name, known.value, if_match=version, ttl=KEPT_SECONDS)
        await parts.write(key, piece, if_match=ABSENT if left is None else left.version)
        await pending.put(name, msgspec.to_builtins(grown), if_match=version, ttl=KEPT_SECONDS)
    except Conflict as error:
        now = await pending.get(name)
        reached = upload.offset if now is None else msgspec.convert(now.value, Upload).offset
        raise OffsetMismatch(reached, upload.offset) from error
    return grown


async def _joined(reach: Reach, name: str, upload: Upload) -> AsyncIterator[bytes]:
    parts, offset, digest = reach.parts(), 0, hashlib.sha256()
    while offset < upload.offset:
        async for piece in parts.read(f"{name}/{offset:019}"):
            offset += len(piece)
            digest.update(piece)
            yield piece
    if upload.digest:
        Demanded(bytes.fromhex(upload.digest)).compare(digest.digest())


async def _forget(reach: Reach, name: str) -> None:
    await reach.pending().delete(name)
    await remove_parts(reach.parts(), name)


async def remove_parts(parts: Blobs, name: str) -> int:
    """Delete what has arrived of an upload; how many pieces."""
    removed = 0
    while items := (await parts.list(f"{name}/")).items:
        for item in items:
            removed += await parts.delete(item.key)
    return removed


async def sweep_uploads(storage: Storage, blobs: Blobs) -> int:
    """Delete the pieces of uploads whose time has run out, of every tenant; how many pieces."""
    removed = 0
    for used in await blobs.usage():
        if used.namespace != UPLOADS:
            continue
        parts = blobs.scoped(UPLOADS, used.tenant)
        pending = storage.for_tenant(used.tenant).namespace(UPLOADS)
        after: str | None = ""
        while after is not None:
            page = await parts.list(after=after)
            for name in dict.fromkeys(item.key.partition("/")[0] for item in page.items):
                if await pending.head(name) is None:
                    removed += await remove_parts(parts, name)
            after = page.after
    return removed
