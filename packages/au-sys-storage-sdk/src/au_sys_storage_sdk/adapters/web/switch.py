"""The page of the live switch: begin, see how far it is, give it up, go back. It works without scripts."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from au_sys_storage_sdk.adapters.api.switching import Audit, Moving, abort, begin, go_back
from au_sys_storage_sdk.adapters.web.showing import TOLD, time_of, told
from au_sys_storage_sdk.core.errors import Unavailable
from au_sys_storage_sdk.core.switching.divided import MAIN
from au_sys_storage_sdk.core.switching.models import Phase
from au_sys_storage_sdk.core.switching.switches import Switches
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject

router = APIRouter()

_HERE = "/admin/storage/:switch"
_PHASES = {
    Phase.COPYING: "copying",
    Phase.TAILING: "following the writers",
    Phase.FLIPPED: "done",
    Phase.ABORTED: "given up",
    Phase.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Targets:
    """The names of the configured backends, and which namespaces are moved apart from all others."""

    names: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()


Known = Annotated[Targets, inject(Targets)]
Rendered = Annotated[Pages, inject(Pages)]


@router.get("/admin/storage/:switch")
@access(permission="storage.backends.read")
async def switch_page(
    request: Request, switches: Moving, targets: Known, pages: Rendered, part: str = MAIN
) -> Response:
    """The active backend, the last switch, and where else to go; of all namespaces, or of a part."""
    shown = await _shown(switches, targets, part)
    return await pages.render(request, "storage/switch.html", shown)


@router.get("/admin/storage/:switch/progress")
@access(permission="storage.backends.read")
async def switch_progress(
    request: Request, switches: Moving, targets: Known, pages: Rendered, part: str = MAIN
) -> Response:
    """The piece of the page that changes by itself; once nothing moves any more the whole page is asked for anew."""
    shown = await _shown(switches, targets, part)
    answer = await pages.render(request, "storage/switch_progress.html", shown)
    if not shown["moving"]:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.post("/admin/storage/:switch")
@access(permission="storage.backends.switch")
async def switch_form(
    request: Request,
    principal: CurrentPrincipal,
    switches: Moving,
    audit: Audit,
    targets: Known,
    pages: Rendered,
    target: Annotated[str, Form()] = "",
    operation: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "check",
    part: Annotated[str, Form()] = MAIN,
) -> Response:
    """Check a target, begin, give up, or go back."""
    good = ""
    try:
        if action == "check":
            await switches.check(part, target)
            good = target
        elif action == "begin":
            await begin(switches, audit, principal, target, part)
        elif action == "abort":
            await abort(switches, audit, principal, operation)
        elif action == "rollback":
            await go_back(switches, audit, principal, operation)
    except (*TOLD, Unavailable) as problem:
        shown = await _shown(switches, targets, part)
        shown |= {"error": told(await pages.reader(request, "storage"), problem), "chosen": target}
        return await pages.render(request, "storage/switch.html", shown, status_code=422)
    if not good:
        return RedirectResponse(_here(part), 303)
    shown = await _shown(switches, targets, part)
    return await pages.render(request, "storage/switch.html", {**shown, "good": good, "chosen": target})


def _here(part: str) -> str:
    return f"{_HERE}?part={quote(part)}" if part else _HERE


async def _shown(switches: Switches, targets: Targets, part: str) -> dict[str, object]:
    store = switches.of(part)
    progress, entry = store.progress, store.entry
    moving = progress is not None and not progress.phase.ended
    sequence = await store.sequence()
    return {
        "entry": entry, "kind": store.name, "progress": progress, "moving": moving, "here": _HERE, "part": part,
        "phase": _PHASES[progress.phase] if progress is not None else "",
        "parts": [(name, ", ".join(patterns), _here(name)) for name, patterns in targets.parts],
        "targets": [(name, name) for name in targets.names if name != entry.active],
        "total": sum(used.count for used in await store.usage()) if moving else 0,
        "behind": max(sequence - progress.reached, 0) if progress is not None and moving else 0,
        "until": time_of(entry.until) if entry.previous and entry.until else None,
        "back": entry.previous if entry.previous and not moving else "", "error": "", "good": "", "chosen": "",
    }  # fmt: skip
