"""Forget wrong sign-ins of a person, and close an account after seeing what depends on it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.administration import Desk, carried_out
from au_sys_identity.adapters.web.governing.machines import MachineRoom
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.errors import IdentityError, InvalidInput, NotFound, StepUpRequired
from au_sys_identity.core.machines.succession import Heirs
from au_sys_identity.core.subjects.models import person_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_PEOPLE = "/admin/identity/users"
_CLOSE = f"{_PEOPLE}/{{user_id}}/close"
Shown = Annotated[Pages, inject(Pages)]
AtDesk = Annotated[Desk, inject(Desk)]
Room = Annotated[MachineRoom, inject(MachineRoom)]


@router.post(f"{_PEOPLE}/{{user_id}}/unlock")
@access(permission="identity.users.unlock")
async def unlock_page(request: Request, user_id: str, pages: Shown, desk: AtDesk) -> Response:
    """Nobody waits any more before trying this account."""

    async def unlock() -> None:
        await desk.accounts.unlock(person_id(user_id), by=caller_of(request).urn)

    return await carried_out(request, pages, desk, user_id, unlock)


@router.get(_CLOSE)
@access(permission="identity.users.delete")
async def close_page(request: Request, user_id: str, pages: Shown, desk: AtDesk, room: Room) -> Response:
    """Whose account it is, and which machines nobody would answer for."""
    return await _page(request, pages, desk, room, user_id)


@router.post(_CLOSE)
@access(permission="identity.users.delete")
async def close_account(
    request: Request,
    user_id: str,
    pages: Shown,
    desk: AtDesk,
    room: Room,
    successor: Annotated[str, Form(max_length=80)] = "",
    stop: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Close it for ever; machines go to the successor, or stop."""
    caller = caller_of(request)
    try:
        await desk.steps.require(caller)
        person = await desk.accounts.get(person_id(user_id))
        await desk.granting.check_outranks(caller.urn, person.urn)
        heir = person_id(successor.strip()) if successor.strip() else None
        if successor.strip() and heir is None:
            raise InvalidInput("successor", "is no person", "Give the URN or id of somebody who stays.")
        await desk.accounts.close(person.id, by=caller.urn, heirs=Heirs(heir, stop == "on"))
    except StepUpRequired:
        return ask_again(f"{_PEOPLE}/{user_id}/close")
    except NotFound:
        raise
    except IdentityError as error:
        return await _page(request, pages, desk, room, user_id, error=error, successor=successor)
    return await undoable(request, _PEOPLE)


async def _page(
    request: Request,
    pages: Pages,
    desk: Desk,
    room: MachineRoom,
    user_id: str,
    *,
    error: IdentityError | None = None,
    successor: str = "",
) -> Response:
    person = await desk.accounts.get(person_id(user_id))
    wrong = isinstance(error, InvalidInput) and error.field == "successor"
    context: dict[str, object] = {
        "person": person,
        "dependents": await room.machines.left_behind(person.id),
        "error": str(error) if error else "",
        "wrong": wrong,
        "successor": successor,
    }
    return await pages.render(request, "identity/close_account.html", context, status_code=400 if error else 200)
