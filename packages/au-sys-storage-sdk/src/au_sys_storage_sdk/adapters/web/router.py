"""The pages: overview, a namespace, a document."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.api.access import Desked, Reach
from au_sys_storage_sdk.adapters.api.followers import FollowersOf
from au_sys_storage_sdk.adapters.api.status import Store, status_of
from au_sys_storage_sdk.adapters.web.editing import Editing, pretty
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject

router = APIRouter(include_in_schema=False)

_SHOWN = 50
_AS_TEXT = 200_000


@router.get("/admin/storage")
@access(permission="storage.backends.read")
async def overview_page(
    request: Request,
    desk: Desked,
    store: Store,
    followers: FollowersOf,
    pages: Annotated[Pages, inject(Pages)],
) -> Response:
    """Backends, and the namespaces with their sizes."""
    status = await status_of(request, desk, store, followers)
    return await pages.render(request, "storage/overview.html", {"status": status})


@router.get("/admin/storage/{namespace}")
@access(permission="storage.documents.read")
async def namespace_page(
    request: Request,
    desk: Desked,
    namespace: str,
    pages: Annotated[Pages, inject(Pages)],
    prefix: str = "",
    after: str = "",
) -> Response:
    """Documents in key order, a page at a time."""
    documents = desk.reach(request).documents(namespace)
    error = ""
    try:
        page = await documents.scan_text(prefix, after, _SHOWN, keys_only=True)
    except InvalidInput as problem:
        error, prefix = str(problem), ""
        page = await documents.scan_text("", "", _SHOWN, keys_only=True)
    items = [
        {"key": found.key, "version": found.version, "updated": _time(found.updated), "expires": _time(found.expires),
         "href": _href(namespace, found.key)}
        for found in page.items
    ]  # fmt: skip
    further = f"?prefix={quote(prefix, safe='')}&after={quote(page.after, safe='')}" if page.after is not None else ""
    shown = {"namespace": namespace, "items": items, "prefix": prefix, "further": further, "error": error}
    return await pages.render(request, "storage/namespace.html", shown)


@router.get("/admin/storage/{namespace}/{key:path}")
@access(permission="storage.documents.read")
async def document_page(
    request: Request, desk: Desked, namespace: str, key: str, pages: Annotated[Pages, inject(Pages)], saved: str = ""
) -> Response:
    """One document, to be read and edited."""
    return await _document(request, desk.reach(request), pages, namespace, key, Attempt(saved=saved))


@router.post("/admin/storage/{namespace}/{key:path}")
@access(permission="storage.documents.write")
async def document_form(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    namespace: str,
    key: str,
    pages: Annotated[Pages, inject(Pages)],
    editing: Annotated[Editing, inject(Editing)],
    version: Annotated[int, Form()],
    value: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "save",
) -> Response:
    """Show what a change would do, save it, or delete the document; each under the version that was read."""
    try:
        if action == "delete":
            await editing.delete(desk.reach(request), principal, namespace, key, version)
            return RedirectResponse(f"/admin/storage/{quote(namespace)}", 303)
        if action == "save":
            await editing.save(desk.reach(request), principal, namespace, key, value, version)
            return RedirectResponse(f"{_href(namespace, key)}?saved=yes", 303)
    except (Conflict, InvalidInput, TooLarge) as problem:
        attempt = Attempt(value, version, str(problem))
    else:
        attempt = Attempt(value, version)
    return await _document(request, desk.reach(request), pages, namespace, key, attempt)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was typed into the editor, the version that it was based on, and why it was not saved."""

    typed: str | None = None
    version: int | None = None
    error: str = ""
    saved: str = ""


async def _document(
    request: Request, reach: Reach, pages: Pages, namespace: str, key: str, attempt: Attempt
) -> Response:
    documents = reach.documents(namespace)
    found = await documents.get_text(key)
    if found is None:
        raise NotFound(namespace, key)
    stored = pretty(found.value) if len(found.value) <= _AS_TEXT else ""
    shown = {
        "namespace": namespace, "key": key, "href": _href(namespace, key), "saved": attempt.saved,
        "error": attempt.error, "compared": attempt.typed is not None, "stored": stored, "too_large": not stored,
        "text": stored if attempt.typed is None else attempt.typed.replace("\r\n", "\n"),
        "version": found.version if attempt.version is None else attempt.version, "present": found.version,
        "size": len(found.value), "created": _time(found.created), "updated": _time(found.updated),
        "expires": _time(found.expires), "download": f"/storage/{quote(namespace)}/{quote(key, safe='')}",
    }  # fmt: skip
    return await pages.render(request, "storage/document.html", shown, status_code=422 if attempt.error else 200)


def _href(namespace: str, key: str) -> str:
    return f"/admin/storage/{quote(namespace)}/{quote(key, safe='')}"


def _time(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
