"""Pages of blobs: a list, an upload, one blob with a preview that runs nothing."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.web.showing import TOLD, blob_page, time_of
from au_sys_storage_sdk.adapters.web.sniffing import image_type, text_of
from au_sys_storage_sdk.adapters.web.visiting import Asked, Edits, Visit, Visited, listed
from au_sys_storage_sdk.core.blobs.models import DEFAULT_TYPE
from au_sys_storage_sdk.core.errors import NotFound
from fastapi_services_platform import access

router = APIRouter()
upload_router = APIRouter(include_in_schema=False)

_HEAD = 64 * 1024
_LARGEST_IMAGE = 16 * 1024 * 1024
_READ = 512 * 1024


@router.get("/admin/storage/{namespace}:blobs")
@access(permission="storage.blobs.read")
async def blobs_page(visit: Visited, prefix: str = "", after: str = "") -> Response:
    """Blobs in key order, a page at a time."""
    return await _blobs(visit, Asked(prefix, after))


@upload_router.post("/admin/storage/{namespace}:blobs")
@access(permission="storage.blobs.write")
async def upload_form(
    visit: Visited, editing: Edits, file: Annotated[UploadFile, File()], key: Annotated[str, Form()] = ""
) -> Response:
    """Store a file as a new blob, under its own name unless another is given."""
    name = key or file.filename or ""
    try:
        kind = (file.content_type or DEFAULT_TYPE).partition(";")[0]
        await editing.upload(visit.reach, visit.who, visit.namespace, name, _pieces(file), kind)
    except TOLD as problem:
        return await _blobs(visit, Asked(key=key, wrong=await visit.told(problem)))
    return RedirectResponse(f"{blob_page(visit.namespace, name)}?saved=yes", 303)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(_READ):
        yield piece


async def _blobs(visit: Visit, asked: Asked) -> Response:
    blobs, rules = visit.reach.blobs(visit.namespace)
    page, shown = await listed(visit, blobs.list, asked)
    items = [
        {"key": info.key, "size": info.size, "type": info.content_type,
         "updated": time_of(info.updated), "href": blob_page(visit.namespace, info.key)}
        for info in page.items
    ]  # fmt: skip
    shown |= {"items": items, "limit": rules.max_blob}
    return await visit.show("blobs.html", shown, asked.wrong)


@router.get("/admin/storage/{namespace}:blobs/{key:path}")
@access(permission="storage.blobs.read")
async def blob_page_of(visit: Visited, key: str, saved: str = "") -> Response:
    """What is known of a blob, and what it looks like when it is a picture or text."""
    return await _blob(visit, key, saved=saved)


@router.post("/admin/storage/{namespace}:blobs/{key:path}")
@access(permission="storage.blobs.write")
async def delete_blob_form(visit: Visited, key: str, editing: Edits, version: Annotated[int, Form()]) -> Response:
    """Delete the blob that was seen."""
    try:
        await editing.delete_blob(visit.reach, visit.who, visit.namespace, key, version)
    except TOLD as problem:
        return await _blob(visit, key, error=await visit.told(problem))
    return RedirectResponse(f"/admin/storage/{quote(visit.namespace)}:blobs", 303)


async def _blob(visit: Visit, key: str, *, saved: str = "", error: str = "") -> Response:
    namespace = visit.namespace
    blobs, _ = visit.reach.blobs(namespace)
    info = await blobs.info(key)
    head = b"".join([piece async for piece in blobs.read(key, 0, min(_HEAD, info.size))]) if info.size else b""
    picture = image_type(head) is not None and info.size <= _LARGEST_IMAGE
    shown: dict[str, object] = {
        "key": key, "href": blob_page(namespace, key), "info": info,
        "created": time_of(info.created), "updated": time_of(info.updated),
        "download": f"/blobs/{quote(namespace)}/{quote(key, safe='')}",
        "picture": blob_page(namespace, key, "preview") if picture else "",
        "text": None if picture else text_of(head), "cut": info.size > len(head), "saved": saved, "error": error,
    }  # fmt: skip
    return await visit.show("blob.html", shown, error)


@router.get("/admin/storage/{namespace}:preview/{key:path}")
@access(permission="storage.blobs.read")
async def preview(visit: Visited, key: str) -> Response:
    """The bytes of a picture, as what they are and not as what they were called."""
    blobs, _ = visit.reach.blobs(visit.namespace)
    info = await blobs.info(key)
    if info.size > _LARGEST_IMAGE:
        raise NotFound(f"{visit.namespace}:preview", key)
    content = await blobs.read_bytes(key)
    kind = image_type(content)
    if kind is None:
        raise NotFound(f"{visit.namespace}:preview", key)
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "private, no-store"}
    return Response(content, media_type=kind, headers=headers)
