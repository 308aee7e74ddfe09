"""The page of the live switch: begin, see how far it is, give it up, go back. It works without scripts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.api.access import Desked
from au_sys_storage_sdk.adapters.api.status import Store
from au_sys_storage_sdk.adapters.api.switching import Audit, abort, begin, go_back
from au_sys_storage_sdk.adapters.web.showing import TOLD, shown_time
from au_sys_storage_sdk.core.errors import Unavailable
from au_sys_storage_sdk.core.storage import Storage
from au_sys_storage_sdk.core.switching.switchable import Switchable
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject

router = APIRouter()

_HERE = "/admin/storage/:switch"


@dataclass(frozen=True, slots=True)
class Targets:
    """The names of the configured backends."""

    names: tuple[str, ...]


Known = Annotated[Targets, inject(Targets)]
Rendered = Annotated[Pages, inject(Pages)]


@router.get("/admin/storage/:switch")
@access(permission="storage.backends.read")
async def switch_page(request: Request, desk: Desked, store: Store, targets: Known, pages: Rendered) -> Response:
    """The active backend, the last switch, and where else to go."""
    shown = await _shown(desk.storage, store, targets)
    return await pages.render(request, "storage/switch.html", shown)


@router.get("/admin/storage/:switch/progress")
@access(permission="storage.backends.read")
async def switch_progress(request: Request, desk: Desked, store: Store, targets: Known, pages: Rendered) -> Response:
    """The part of the page that changes by itself."""
    return await pages.render(request, "storage/switch_progress.html", await _shown(desk.storage, store, targets))


@router.post("/admin/storage/:switch")
@access(permission="storage.backends.switch")
async def switch_form(
    request: Request,
    desk: Desked,
    principal: CurrentPrincipal,
    store: Store,
    audit: Audit,
    targets: Known,
    pages: Rendered,
    target: Annotated[str, Form()] = "",
    operation: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "check",
) -> Response:
    """Check a target, begin, give up, or go back."""
    good = ""
    try:
        if action == "check":
            await store.check(target)
            good = f"{target} answers and is empty: documents can be moved there."
        elif action == "begin":
            await begin(store, audit, principal, target)
        elif action == "abort":
            await abort(store, audit, principal, operation)
        elif action == "rollback":
            await go_back(store, audit, principal, operation)
    except (*TOLD, Unavailable) as problem:
        shown = await _shown(desk.storage, store, targets)
        return await pages.render(
            request, "storage/switch.html", {**shown, "error": str(problem), "chosen": target}, status_code=422
        )
    if not good:
        return RedirectResponse(_HERE, 303)
    shown = await _shown(desk.storage, store, targets)
    return await pages.render(request, "storage/switch.html", {**shown, "good": good, "chosen": target})


async def _shown(storage: Storage, store: Switchable, targets: Targets) -> dict[str, object]:
    progress, entry = store.progress, store.entry
    moving = progress is not None and not progress.phase.ended
    sequence = await storage.sequence()
    return {
        "entry": entry, "kind": store.name, "progress": progress, "moving": moving, "here": _HERE,
        "targets": [(name, name) for name in targets.names if name != entry.active],
        "total": sum(used.count for used in await storage.usage()) if moving else 0,
        "behind": max(sequence - progress.reached, 0) if progress is not None and moving else 0,
        "until": shown_time(entry.until) if entry.previous and entry.until else "",
        "back": entry.previous if entry.previous and not moving else "", "error": "", "good": "", "chosen": "",
    }  # fmt: skip
