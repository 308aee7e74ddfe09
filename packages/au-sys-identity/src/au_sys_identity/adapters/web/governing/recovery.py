"""Backups and changes for administrators: back up, verify, restore with a preview, take single changes back."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, NotFound, StepUpRequired
from au_sys_identity.core.recovery.backups import Backups
from au_sys_identity.core.recovery.models import Restoration
from au_sys_identity.core.recovery.restoring import Restoring
from au_sys_identity.core.recovery.undoing import Undoing, Undone
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

BACKUPS = "/admin/identity/backups"
_CHANGES = 50
_DONE = {"made": "The backup is made.", "verified": "The backup is sound.", "undone": "It is taken back."}
Archives = Annotated[Backups, inject(Backups)]
Changes = Annotated[Undoing, inject(Undoing)]
Shown = Annotated[Pages, inject(Pages)]
Steps = Annotated[StepUp, inject(StepUp)]
Choice = Annotated[str, Form(max_length=80)]


@router.get(BACKUPS)
@access(permission="identity.recovery.read")
async def backups_page(
    request: Request, pages: Shown, archives: Archives, changes: Changes, done: str = ""
) -> Response:
    """All backups, and the newest changes."""
    return await _page(request, pages, archives, changes, done=done)


@router.post(BACKUPS)
@access(permission="identity.recovery.backup")
async def back_up(
    request: Request,
    pages: Shown,
    archives: Archives,
    changes: Changes,
    steps: Steps,
    label: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Make one now."""

    async def make() -> Response:
        await archives.back_up(by=caller_of(request).urn, label=label.strip())
        return RedirectResponse(f"{BACKUPS}?done=made", 303)

    return await _tried(request, pages, archives, changes, steps, make)


@router.post(f"{BACKUPS}/{{backup_id}}/verify")
@access(permission="identity.recovery.backup")
async def verify_backup_page(
    request: Request, backup_id: UUID, pages: Shown, archives: Archives, changes: Changes
) -> Response:
    """Read one whole."""

    async def check() -> Response:
        await archives.verify(backup_id, by=caller_of(request).urn)
        return RedirectResponse(f"{BACKUPS}?done=verified", 303)

    return await _tried(request, pages, archives, changes, None, check)


@router.post(f"{BACKUPS}/{{backup_id}}/restore")
@access(permission="identity.recovery.restore")
async def restore_page(
    request: Request,
    backup_id: UUID,
    pages: Shown,
    archives: Archives,
    changes: Changes,
    steps: Steps,
    restoring: Annotated[Restoring, inject(Restoring)],
    confirm: Choice = "",
    accept_weaker: Choice = "",
) -> Response:
    """What it would do; with the id as confirmation it is done, and everybody signs in again."""

    async def restore() -> Response:
        found = await restoring.restore(
            backup_id,
            by=caller_of(request).urn,
            dry_run=not confirm,
            confirm=confirm.strip() or None,
            accept_weaker=bool(accept_weaker),
        )
        if found.done:
            return RedirectResponse("/login?next=/admin/identity/backups", 303)
        return await _page(request, pages, archives, changes, restoration=found, backup_id=backup_id)

    return await _tried(request, pages, archives, changes, steps, restore)


@router.post(f"{BACKUPS}/changes/{{change_id}}")
@access(permission="identity.recovery.rollback")
async def undo_page(
    request: Request,
    change_id: UUID,
    pages: Shown,
    archives: Archives,
    changes: Changes,
    steps: Steps,
    confirm: Choice = "",
    back: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """What taking a change back would do; confirmed, it is done, and can be taken back itself."""

    async def undo() -> Response:
        found = await changes.undo(change_id, by=caller_of(request).urn, dry_run=not confirm)
        if found.by is not None:
            return await undoable(request, back if back.startswith("/admin/identity/") else f"{BACKUPS}?done=undone")
        return await _page(request, pages, archives, changes, undone=found)

    return await _tried(request, pages, archives, changes, steps, undo)


async def _tried(
    request: Request,
    pages: Pages,
    archives: Backups,
    changes: Undoing,
    steps: StepUp | None,
    work: Callable[[], Awaitable[Response]],
) -> Response:
    """Do it, or show why not."""
    try:
        if steps is not None:
            await steps.require(caller_of(request))
        return await work()
    except StepUpRequired:
        return ask_again(BACKUPS)
    except NotFound:
        raise
    except IdentityError as trouble:
        return await _page(request, pages, archives, changes, error=str(trouble))


async def _page(
    request: Request,
    pages: Pages,
    archives: Backups,
    changes: Undoing,
    *,
    done: str = "",
    error: str = "",
    restoration: Restoration | None = None,
    backup_id: UUID | None = None,
    undone: Undone | None = None,
) -> Response:
    context: dict[str, object] = {
        "backups": await archives.page(),
        "changes": await changes.page(limit=_CHANGES),
        "done": _DONE.get(done),
        "error": error,
        "restoration": restoration,
        "backup_id": backup_id,
        "undone": undone,
    }
    return await pages.render(request, "identity/backups.html", context, status_code=409 if error else 200)
