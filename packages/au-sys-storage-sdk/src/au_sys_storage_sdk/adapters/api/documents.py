"""Documents over HTTP: list, read, write, change, delete. The key routes are last: they take every path."""

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from au_sys_storage_sdk.adapters.api.access import Desked, Reach
from au_sys_storage_sdk.adapters.api.headers.conditions import conditionally, stated
from au_sys_storage_sdk.adapters.api.headers.digests import demanded, digest_header, wanted
from au_sys_storage_sdk.adapters.api.headers.times import http_date
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.namespace import Namespace
from au_sys_storage_sdk.core.documents.operations import Outcome
from au_sys_storage_sdk.core.documents.values import canonical_json, check_json
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound
from au_sys_storage_sdk.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from au_sys_storage_sdk.core.preconditions import Condition
from fastapi_services_platform import access

router = APIRouter()

JSON = "application/json"
_HEADERS = [
    {"name": "Storage-TTL", "in": "header", "schema": {"type": "number"}, "description": "Seconds until it is gone"},
    {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
]
_BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": {}}}}, "parameters": _HEADERS}
_PATCH = {
    "requestBody": {
        "required": True,
        "content": {"application/merge-patch+json": {"schema": {}}, "application/json-patch+json": {"schema": {}}},
    },
    "parameters": _HEADERS,
}
_WRITTEN: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI, as FastAPI takes it
    200: {"description": "Replaced"},
    201: {"description": "Created"},
    412: {"description": "Another version"},
}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged"}}  # Any: as above
_SCAN_BYTES = 4 * 1024 * 1024


class Window(BaseModel):
    """Which part of a namespace, in key order."""

    prefix: str = ""
    after: str = Field(default="", description="The cursor of the page before")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    max_bytes: int = Field(default=_SCAN_BYTES, ge=1, le=_SCAN_BYTES)
    include: Literal["keys", "values"] = "keys"


@router.head("/storage/{namespace}", responses=UNCHANGED)
@router.get("/storage/{namespace}", responses=UNCHANGED)
@access(permission="storage.documents.read")
async def list_documents(
    request: Request, desk: Desked, namespace: str, window: Annotated[Window, Query()]
) -> Response:
    """Documents in key order. The entity tag is the sequence of the namespace's last write."""
    reach = desk.reach(request)
    documents = reach.documents(namespace)
    asked = stated(request).if_none_match
    sequence = await documents.sequence()
    if asked is not None and asked.match(sequence):
        await reach.storage.sweep()
        sequence = await documents.sequence()
    headers = {"ETag": f'"{sequence}"', "Cache-Control": "private, no-cache"}
    if asked is not None and asked.match(sequence):
        return Response(status_code=304, headers=headers)
    values = window.include == "values"
    page = await documents.scan_text(window.prefix, window.after, window.limit, window.max_bytes, keys_only=not values)
    items = b",".join(_item(found, with_value=values) for found in page.items)
    cursor = msgspec.json.encode(page.after)
    return Response(b'{"items":[%b],"after":%b}' % (items, cursor), media_type=JSON, headers=headers)


def _item(found: Stored, *, with_value: bool) -> bytes:
    known = {
        "key": found.key, "version": found.version, "created": found.created, "updated": found.updated,
        "expires": found.expires, "schema": found.schema,
    }  # fmt: skip
    text = msgspec.json.encode(known)
    return text[:-1] + b',"value":' + found.value + b"}" if with_value else text


@router.get("/storage/{namespace}/{key:path}", responses=UNCHANGED)
@access(permission="storage.documents.read")
async def read_document(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """The stored JSON value, byte for byte, with a strong entity tag."""
    documents = desk.reach(request).documents(namespace)
    asked = stated(request)
    if asked.if_none_match is not None:
        known = await documents.head(key)
        if known is not None and asked.if_none_match.match(known.version):
            return Ready(_headers(known), status=304)
    found = await documents.get_text(key)
    if found is None:
        raise NotFound(namespace, key)
    if asked.if_match is not None and not asked.if_match.match(found.version):
        raise Conflict(namespace, key, None, found.version)
    headers = _headers(found)
    if wanted(request):
        headers.append((b"repr-digest", digest_header(hashlib.sha256(found.value).digest()).encode()))
    return Ready(headers, found.value)


@router.head("/storage/{namespace}/{key:path}", responses=UNCHANGED)
@access(permission="storage.documents.read")
async def probe_document(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Version and times of a document, without its value."""
    documents = desk.reach(request).documents(namespace)
    found = await documents.head(key)
    if found is None:
        raise NotFound(namespace, key)
    asked = stated(request).if_none_match
    if asked is not None and asked.match(found.version):
        return Ready(_headers(found), status=304)
    return Ready([*_headers(found), _IS_JSON])


class Ready(Response):
    """An answer with finished headers, without the general case's cost: reads are what is asked for most often."""

    def __init__(self, headers: list[tuple[bytes, bytes]], content: bytes | None = None, status: int = 200) -> None:
        self.status_code = status
        self.background = None
        self.body = content or b""
        if content is not None:
            headers += ((b"content-length", b"%d" % len(content)), _IS_JSON)
        self.raw_headers = headers


_IS_JSON = (b"content-type", JSON.encode())
_IS_PRIVATE = (b"cache-control", b"private, no-cache")


def _headers(found: Stored) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"etag", b'"%d"' % found.version),
        (b"last-modified", http_date(found.updated).encode()),
        _IS_PRIVATE,
        (b"storage-times", b"%d,%d,%d" % (found.created, found.updated, found.expires or 0)),
        (b"storage-schema", b"%d" % found.schema),
    ]
    if found.expires is not None:
        headers.append((b"storage-expires", http_date(found.expires).encode()))
    return headers


@router.post("/storage/{namespace}/{key:path}", openapi_extra=_BODY, responses=_WRITTEN)
@access(permission="storage.documents.write")
async def write_document(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Store a JSON value; ``If-Match`` and ``If-None-Match: *`` make it conditional."""
    return await _write(request, await desk.writer(request), namespace, key)


@router.put("/storage/{namespace}/{key:path}", openapi_extra=_BODY, responses=_WRITTEN)
@access(permission="storage.documents.write")
async def put_document(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """The same as POST."""
    return await _write(request, await desk.writer(request), namespace, key)


async def _write(request: Request, asking: Reach, namespace: str, key: str) -> Response:
    body = await request.body()
    demanded(request).check(body)
    ttl = _ttl(request)

    async def work(reach: Reach) -> Response:
        documents, policy = reach.writable(namespace)
        text = canonical_json(body)

        async def write(condition: Condition) -> Outcome:
            allowed = policy.admit(namespace, len(text), ttl, condition)
            return await documents.put_text(key, text, if_match=condition, ttl=allowed)

        outcome = await conditionally(stated(request), lambda: _version(documents, key), write, namespace, key)
        return _written(outcome.version or 0, 201 if outcome.created else 200)

    return await asking.once(request, body, work)


def _ttl(request: Request) -> float | None:
    text = request.headers.get("storage-ttl")
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise InvalidInput("Storage-TTL", f"{text[:40]!a} is no number", "send seconds") from None


@router.patch("/storage/{namespace}/{key:path}", openapi_extra=_PATCH, responses=_WRITTEN)
@access(permission="storage.documents.write")
async def patch_document(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Lay a merge patch over the value, or apply JSON patch steps, as the content type says."""
    body = await request.body()
    demanded(request).check(body)
    ttl = _ttl(request)

    async def work(reach: Reach) -> Response:
        documents, policy = reach.writable(namespace)
        patch = _patch(request.headers.get("content-type", ""), check_json(body))

        async def write(condition: Condition) -> int:
            allowed = policy.admit(namespace, 0, ttl, condition)
            return await documents.patch(key, patch, if_match=condition, ttl=allowed)

        version = await conditionally(stated(request), lambda: _version(documents, key), write, namespace, key)
        return _written(version, 200)

    return await (await desk.writer(request)).once(request, body, work)


def _patch(content_type: str, patch: object) -> object:
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/json-patch+json":
        if not isinstance(patch, list):
            raise InvalidInput("body", "a JSON patch is a list of steps", "send a list")
        return patch
    if kind == "application/merge-patch+json":
        if not isinstance(patch, dict):
            raise InvalidInput(
                "body", "a merge patch for a stored document is an object", "send an object, or PUT the value"
            )
        return patch
    raise InvalidInput(
        "Content-Type",
        f"{kind[:80]!a} is no kind of patch",
        "send application/merge-patch+json or application/json-patch+json",
    )


@router.delete("/storage/{namespace}/{key:path}", status_code=204, responses={412: {"description": "Another version"}})
@access(permission="storage.documents.write", reversibility="irreversible")
async def delete_document(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """Remove a document."""

    async def work(reach: Reach) -> Response:
        documents, policy = reach.writable(namespace)

        async def write(condition: Condition) -> bool:
            policy.demand(namespace, condition)
            return await documents.delete(key, if_match=condition)

        if not await conditionally(stated(request), lambda: _version(documents, key), write, namespace, key):
            raise NotFound(namespace, key)
        return Response(status_code=204)

    return await (await desk.writer(request)).once(request, b"", work)


async def _version(documents: Namespace[object], key: str) -> int | None:
    known = await documents.head(key)
    return None if known is None else known.version


def _written(version: int, status: int) -> Response:
    return Response(b'{"version":%d}' % version, status, media_type=JSON, headers={"ETag": f'"{version}"'})
