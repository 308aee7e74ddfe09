"""Pages of documents: a namespace, a new document, one document with its editor and its past."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.web.editing import pretty
from au_sys_storage_sdk.adapters.web.history import Step, history
from au_sys_storage_sdk.adapters.web.showing import TOLD, document_page, time_of
from au_sys_storage_sdk.adapters.web.visiting import Asked, Edits, Visit, Visited, listed
from au_sys_storage_sdk.core.errors import NotFound
from fastapi_services_platform import access

router = APIRouter()

_AS_TEXT = 200_000
_EVENTS = {"put": "stored", "delete": "deleted", "expire": "expired"}


@router.get("/admin/storage/{namespace}")
@access(permission="storage.documents.read")
async def namespace_page(visit: Visited, prefix: str = "", after: str = "") -> Response:
    """Documents in key order, a page at a time."""
    return await _namespace(visit, Asked(prefix, after))


@router.post("/admin/storage/{namespace}")
@access(permission="storage.documents.write")
async def new_document_form(
    visit: Visited, editing: Edits, key: Annotated[str, Form()] = "", value: Annotated[str, Form()] = ""
) -> Response:
    """Store a new document."""
    try:
        await editing.create(visit.reach, visit.who, visit.namespace, key, value)
    except TOLD as problem:
        return await _namespace(visit, Asked(key=key, value=value, wrong=await visit.told(problem)))
    return RedirectResponse(f"{document_page(visit.namespace, key)}?saved=yes", 303)


async def _namespace(visit: Visit, asked: Asked) -> Response:
    documents = visit.reach.documents(visit.namespace)
    page, shown = await listed(visit, partial(documents.scan_text, keys_only=True), asked)
    items = [
        {"key": found.key, "version": found.version, "updated": time_of(found.updated),
         "expires": time_of(found.expires), "href": document_page(visit.namespace, found.key)}
        for found in page.items
    ]  # fmt: skip
    shown |= {"items": items, "count": await documents.count(), "rules": visit.reach.policies.of(visit.namespace)}
    return await visit.show("namespace.html", shown, asked.wrong)


@router.get("/admin/storage/{namespace}/{key:path}")
@access(permission="storage.documents.read")
async def document_page_of(visit: Visited, key: str, saved: str = "", change: int = 0) -> Response:
    """One document, to be read and edited, with its past."""
    return await _document(visit, key, Attempt(saved=saved, change=change))


@router.post("/admin/storage/{namespace}/{key:path}")
@access(permission="storage.documents.write")
async def document_form(
    visit: Visited,
    key: str,
    editing: Edits,
    version: Annotated[int, Form()],
    value: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "save",
) -> Response:
    """Show what a change would do, save it, or delete the document; each under the version that was read."""
    namespace = visit.namespace
    try:
        if action == "delete":
            await editing.delete(visit.reach, visit.who, namespace, key, version)
            return RedirectResponse(f"/admin/storage/{quote(namespace)}", 303)
        if action == "save":
            await editing.save(visit.reach, visit.who, namespace, key, value, version)
            return RedirectResponse(f"{document_page(namespace, key)}?saved=yes", 303)
    except TOLD as problem:
        return await _document(visit, key, Attempt(value, version, await visit.told(problem)))
    return await _document(visit, key, Attempt(value, version))


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


async def _document(visit: Visit, key: str, attempt: Attempt) -> Response:
    namespace = visit.namespace
    found = await visit.reach.documents(namespace).get_text(key)
    if found is None:
        raise NotFound(namespace, key)
    stored = pretty(found.value) if len(found.value) <= _AS_TEXT else ""
    steps = await history(visit.reach, namespace, key)
    shown = {
        "key": key, "href": document_page(namespace, key), "saved": attempt.saved,
        "error": attempt.error, "compared": attempt.typed is not None, "stored": stored, "too_large": not stored,
        "text": stored if attempt.typed is None else attempt.typed.replace("\r\n", "\n"),
        "version": found.version if attempt.version is None else attempt.version, "present": found.version,
        "bytes": len(found.value), "created": time_of(found.created),
        "updated": time_of(found.updated), "expires": time_of(found.expires),
        "download": f"/storage/{quote(namespace)}/{quote(key, safe='')}",
        "steps": [_step(step) for step in steps], "change": _change(steps, attempt.change),
    }  # fmt: skip
    return await visit.show("document.html", shown, attempt.error)


def _step(step: Step) -> dict[str, object]:
    by = step.edit.by if step.edit else ""
    return {"version": step.version, "event": _EVENTS[step.event], "at": time_of(step.at), "by": by}


def _change(steps: list[Step], version: int) -> dict[str, object] | None:
    edit = next((step.edit for step in steps if step.version == version), None)
    if edit is None:
        return None
    before, after = (pretty(text.encode()) if text else "" for text in (edit.before, edit.after))
    return {"version": version, "by": edit.by, "before": before, "after": after, "kept": bool(edit.before)}
