"""Pages of documents: a namespace, a new document, one document with its editor and its past."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.api.access import Desked, Reach
from au_sys_storage_sdk.adapters.web.editing import Editing, pretty
from au_sys_storage_sdk.adapters.web.history import Step, history
from au_sys_storage_sdk.adapters.web.showing import TOLD, document_page, further, shown_size, shown_time
from au_sys_storage_sdk.core.errors import InvalidInput, NotFound
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject

router = APIRouter()

_SHOWN = 50
_AS_TEXT = 200_000

Rendered = Annotated[Pages, inject(Pages)]
Edits = Annotated[Editing, inject(Editing)]


@router.get("/admin/storage/{namespace}")
@access(permission="storage.documents.read")
async def namespace_page(
    request: Request, desk: Desked, namespace: str, pages: Rendered, prefix: str = "", after: str = ""
) -> Response:
    """Documents in key order, a page at a time."""
    return await _namespace(request, desk.reach(request), pages, namespace, {"prefix": prefix, "after": after})


@router.post("/admin/storage/{namespace}")
@access(permission="storage.documents.write")
async def new_document_form(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    namespace: str,
    pages: Rendered,
    editing: Edits,
    key: Annotated[str, Form()] = "",
    value: Annotated[str, Form()] = "",
) -> Response:
    """Store a new document."""
    reach = desk.reach(request)
    try:
        await editing.create(reach, principal, namespace, key, value)
    except TOLD as problem:
        typed = {"key": key, "value": value, "wrong": str(problem)}
        return await _namespace(request, reach, pages, namespace, typed)
    return RedirectResponse(f"{document_page(namespace, key)}?saved=yes", 303)


async def _namespace(request: Request, reach: Reach, pages: Pages, namespace: str, asked: dict[str, str]) -> Response:
    documents = reach.documents(namespace)
    error, prefix = "", asked.get("prefix", "")
    try:
        page = await documents.scan_text(prefix, asked.get("after", ""), _SHOWN, keys_only=True)
    except InvalidInput as problem:
        error, prefix = str(problem), ""
        page = await documents.scan_text("", "", _SHOWN, keys_only=True)
    items = [
        {"key": found.key, "version": found.version, "updated": shown_time(found.updated),
         "expires": shown_time(found.expires), "href": document_page(namespace, found.key)}
        for found in page.items
    ]  # fmt: skip
    shown = {
        "namespace": namespace, "items": items, "prefix": prefix, "further": further(prefix, page.after),
        "error": error, "later": bool(asked.get("after")), "key": asked.get("key", ""),
        "value": asked.get("value", "").replace("\r\n", "\n"), "wrong": asked.get("wrong", ""),
        "count": await documents.count(), "rules": reach.policies.of(namespace),
    }  # fmt: skip
    return await pages.render(request, "storage/namespace.html", shown, status_code=422 if shown["wrong"] else 200)


@router.get("/admin/storage/{namespace}/{key:path}")
@access(permission="storage.documents.read")
async def document_page_of(
    request: Request, desk: Desked, namespace: str, key: str, pages: Rendered, saved: str = "", change: int = 0
) -> Response:
    """One document, to be read and edited, with its past."""
    return await _document(request, desk.reach(request), pages, namespace, key, Attempt(saved=saved, change=change))


@router.post("/admin/storage/{namespace}/{key:path}")
@access(permission="storage.documents.write")
async def document_form(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    namespace: str,
    key: str,
    pages: Rendered,
    editing: Edits,
    version: Annotated[int, Form()],
    value: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "save",
) -> Response:
    """Show what a change would do, save it, or delete the document; each under the version that was read."""
    reach = desk.reach(request)
    try:
        if action == "delete":
            await editing.delete(reach, principal, namespace, key, version)
            return RedirectResponse(f"/admin/storage/{quote(namespace)}", 303)
        if action == "save":
            await editing.save(reach, principal, namespace, key, value, version)
            return RedirectResponse(f"{document_page(namespace, key)}?saved=yes", 303)
    except TOLD as problem:
        attempt = Attempt(value, version, str(problem))
    else:
        attempt = Attempt(value, version)
    return await _document(request, reach, pages, namespace, key, attempt)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was typed into the editor, the version that it was based on, and why it was not saved; or which change of
    the past is looked at.
    """

    typed: str | None = None
    version: int | None = None
    error: str = ""
    saved: str = ""
    change: int = 0


async def _document(
    request: Request, reach: Reach, pages: Pages, namespace: str, key: str, attempt: Attempt
) -> Response:
    found = await reach.documents(namespace).get_text(key)
    if found is None:
        raise NotFound(namespace, key)
    stored = pretty(found.value) if len(found.value) <= _AS_TEXT else ""
    steps = await history(reach, namespace, key)
    shown = {
        "namespace": namespace, "key": key, "href": document_page(namespace, key), "saved": attempt.saved,
        "error": attempt.error, "compared": attempt.typed is not None, "stored": stored, "too_large": not stored,
        "text": stored if attempt.typed is None else attempt.typed.replace("\r\n", "\n"),
        "version": found.version if attempt.version is None else attempt.version, "present": found.version,
        "size": shown_size(len(found.value)), "created": shown_time(found.created),
        "updated": shown_time(found.updated), "expires": shown_time(found.expires),
        "download": f"/storage/{quote(namespace)}/{quote(key, safe='')}",
        "steps": [_step(step) for step in steps], "change": _change(steps, attempt.change),
    }  # fmt: skip
    return await pages.render(request, "storage/document.html", shown, status_code=422 if attempt.error else 200)


def _step(step: Step) -> dict[str, object]:
    by = step.edit.by if step.edit else ""
    return {"version": step.version, "event": step.event, "at": shown_time(step.at), "by": by}


def _change(steps: list[Step], version: int) -> dict[str, object] | None:
    edit = next((step.edit for step in steps if step.version == version), None)
    if edit is None:
        return None
    before, after = (pretty(text.encode()) if text else "" for text in (edit.before, edit.after))
    return {"version": version, "by": edit.by, "before": before, "after": after, "kept": bool(edit.before)}
