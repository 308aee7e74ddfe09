"""Pages of blobs: a list, an upload, one blob with a preview that runs nothing."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.api.access import Desked, Reach
from au_sys_storage_sdk.adapters.web.editing import Editing
from au_sys_storage_sdk.adapters.web.showing import TOLD, blob_page, further, shown_size, shown_time
from au_sys_storage_sdk.adapters.web.sniffing import image_type, text_of
from au_sys_storage_sdk.core.blobs.models import DEFAULT_TYPE, BlobInfo
from au_sys_storage_sdk.core.errors import InvalidInput, NotFound
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject

router = APIRouter()
upload_router = APIRouter(include_in_schema=False)

_SHOWN = 50
_HEAD = 64 * 1024
_LARGEST_IMAGE = 16 * 1024 * 1024
_READ = 512 * 1024

Rendered = Annotated[Pages, inject(Pages)]
Edits = Annotated[Editing, inject(Editing)]


@router.get("/admin/storage/{namespace}:blobs")
@access(permission="storage.blobs.read")
async def blobs_page(
    request: Request, desk: Desked, namespace: str, pages: Rendered, prefix: str = "", after: str = ""
) -> Response:
    """Blobs in key order, a page at a time."""
    return await _blobs(request, desk.reach(request), pages, namespace, {"prefix": prefix, "after": after})


@upload_router.post("/admin/storage/{namespace}:blobs")
@access(permission="storage.blobs.write")
async def upload_form(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    namespace: str,
    pages: Rendered,
    editing: Edits,
    file: Annotated[UploadFile, File()],
    key: Annotated[str, Form()] = "",
) -> Response:
    """Store a file as a new blob, under its own name unless another is given."""
    reach = desk.reach(request)
    name = key or file.filename or ""
    try:
        kind = (file.content_type or DEFAULT_TYPE).partition(";")[0]
        await editing.upload(reach, principal, namespace, name, _pieces(file), kind)
    except TOLD as problem:
        return await _blobs(request, reach, pages, namespace, {"key": key, "wrong": str(problem)})
    return RedirectResponse(f"{blob_page(namespace, name)}?saved=yes", 303)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_READ):
        yield piece


async def _blobs(request: Request, reach: Reach, pages: Pages, namespace: str, asked: dict[str, str]) -> Response:
    blobs, rules = reach.blobs(namespace)
    error, prefix = "", asked.get("prefix", "")
    try:
        page = await blobs.list(prefix, asked.get("after", ""), _SHOWN)
    except InvalidInput as problem:
        error, prefix = str(problem), ""
        page = await blobs.list("", "", _SHOWN)
    items = [
        {"key": info.key, "size": shown_size(info.size), "type": info.content_type,
         "updated": shown_time(info.updated), "href": blob_page(namespace, info.key)}
        for info in page.items
    ]  # fmt: skip
    shown = {
        "namespace": namespace, "items": items, "prefix": prefix, "further": further(prefix, page.after),
        "error": error, "later": bool(asked.get("after")), "key": asked.get("key", ""),
        "wrong": asked.get("wrong", ""), "limit": shown_size(rules.max_blob) if rules.max_blob else "",
    }  # fmt: skip
    return await pages.render(request, "storage/blobs.html", shown, status_code=422 if shown["wrong"] else 200)


@router.get("/admin/storage/{namespace}:blobs/{key:path}")
@access(permission="storage.blobs.read")
async def blob_page_of(
    request: Request, desk: Desked, namespace: str, key: str, pages: Rendered, saved: str = ""
) -> Response:
    """What is known of a blob, and what it looks like when it is a picture or text."""
    return await _blob(request, desk.reach(request), pages, namespace, key, {"saved": saved})


@router.post("/admin/storage/{namespace}:blobs/{key:path}")
@access(permission="storage.blobs.write")
async def delete_blob_form(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    namespace: str,
    key: str,
    pages: Rendered,
    editing: Edits,
    version: Annotated[int, Form()],
) -> Response:
    """Delete the blob that was seen."""
    reach = desk.reach(request)
    try:
        await editing.delete_blob(reach, principal, namespace, key, version)
    except TOLD as problem:
        return await _blob(request, reach, pages, namespace, key, {"error": str(problem)})
    return RedirectResponse(f"/admin/storage/{quote(namespace)}:blobs", 303)


async def _blob(
    request: Request, reach: Reach, pages: Pages, namespace: str, key: str, told: dict[str, str]
) -> Response:
    blobs, _ = reach.blobs(namespace)
    info = await blobs.info(key)
    head = b"".join([piece async for piece in blobs.read(key, 0, min(_HEAD, info.size))]) if info.size else b""
    picture = image_type(head) is not None and info.size <= _LARGEST_IMAGE
    shown = {
        "namespace": namespace, "key": key, "href": blob_page(namespace, key), "version": info.version,
        "facts": _facts(info), "download": f"/blobs/{quote(namespace)}/{quote(key, safe='')}",
        "picture": blob_page(namespace, key, "preview") if picture else "",
        "text": None if picture else text_of(head), "cut": info.size > len(head),
        "saved": told.get("saved", ""), "error": told.get("error", ""),
    }  # fmt: skip
    return await pages.render(request, "storage/blob.html", shown, status_code=422 if shown["error"] else 200)


def _facts(info: BlobInfo) -> list[tuple[str, object]]:
    return [
        ("Size", f"{shown_size(info.size)} ({info.size:,} bytes)"), ("Type, as it was sent", info.content_type),
        ("Version", info.version), ("Created", shown_time(info.created)), ("Changed", shown_time(info.updated)),
        ("SHA-256", info.sha256),
    ]  # fmt: skip


@router.get("/admin/storage/{namespace}:preview/{key:path}")
@access(permission="storage.blobs.read")
async def preview(request: Request, desk: Desked, namespace: str, key: str) -> Response:
    """The bytes of a picture, as what they are and not as what they were called."""
    blobs, _ = desk.reach(request).blobs(namespace)
    info = await blobs.info(key)
    if info.size > _LARGEST_IMAGE:
        raise NotFound(f"{namespace}:preview", key)
    content = await blobs.read_bytes(key)
    kind = image_type(content)
    if kind is None:
        raise NotFound(f"{namespace}:preview", key)
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "private, no-store"}
    return Response(content, media_type=kind, headers=headers)
