"""Roles for administrators: look, make, change after seeing who gains and who loses, delete."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.charts import role_chart
from au_sys_identity.adapters.web.governing.rule_room import RuleRoom, ShownEffect
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.access.models import Role, role_name
from au_sys_identity.core.errors import IdentityError, InvalidInput, NotFound, StepUpRequired
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

ROLES = "/admin/identity/roles"
_MOST_FIELDS = 2000
_DRAWN = 12
_DONE = {"made": "The role is made. Choose what it gives.", "saved": "Saved. It counts at once."}
Room = Annotated[RuleRoom, inject(RuleRoom)]
Shown = Annotated[Pages, inject(Pages)]


@router.get(ROLES)
@access(permission="identity.roles.read")
async def roles_page(request: Request, pages: Shown, room: Room) -> Response:
    """All roles with what they give."""
    return await _list(request, pages, room)


@router.post(ROLES)
@access(permission="identity.roles.write")
async def make_role(
    request: Request,
    pages: Shown,
    room: Room,
    name: Annotated[str, Form(max_length=400)] = "",
    description: Annotated[str, Form(max_length=2000)] = "",
    like: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Make one, empty or with what another one gives, and go on to its permissions."""
    caller = caller_of(request)
    try:
        await room.steps.require(caller)
        given = await _given_by(room, like)
        made = await room.roles.create(name.strip(), description.strip(), given, by=caller.urn)
    except StepUpRequired:
        return ask_again(ROLES)
    except IdentityError as error:
        return await _list(request, pages, room, error=error, typed=(name, description, like))
    return await undoable(request, f"{ROLES}/{made.name}?done=made")


@router.get(f"{ROLES}/{{name}}")
@access(permission="identity.roles.read")
async def role_page(request: Request, name: str, pages: Shown, room: Room) -> Response:
    """One role: what it gives, and who has it."""
    return await _role(request, pages, room, await _known(room, name))


@router.post(f"{ROLES}/{{name}}")
@access(permission="identity.roles.write")
async def change_role_page(request: Request, name: str, pages: Shown, room: Room) -> Response:
    """Show what a change would do; change; or delete."""
    async with request.form(max_fields=_MOST_FIELDS) as form:
        act, wanted = str(form.get("act", "")), _wanted(form)
    role = await _known(room, name)
    caller = caller_of(request)
    permissions, description, requestable = wanted
    try:
        if act == "preview":
            effect = await room.effect(await room.roles.rehearse(role.name, permissions))
            return await _role(request, pages, room, role, wanted=wanted, effect=effect)
        await room.steps.require(caller)
        if act == "delete":
            await room.roles.delete(role.name, by=caller.urn)
            return await undoable(request, f"{ROLES}?done=deleted")
        if act != "save":
            raise InvalidInput("act", "is unknown", "Use the buttons of the page.")
        await room.roles.change(
            role.name, by=caller.urn, description=description, permissions=permissions, requestable=requestable
        )
    except StepUpRequired:
        return ask_again(f"{ROLES}/{role.name}")
    except NotFound:
        raise
    except IdentityError as error:
        return await _role(request, pages, room, role, wanted=None if act == "delete" else wanted, error=error)
    return await undoable(request, f"{ROLES}/{role.name}?done=saved")


def _wanted(form: FormData) -> tuple[frozenset[str], str, bool]:
    permissions = frozenset(str(one) for one in form.getlist("permissions"))
    return permissions, str(form.get("description", ""))[:500].strip(), form.get("requestable") == "on"


async def _known(room: RuleRoom, name: str) -> Role:
    found = await room.decisions.role(role_name(name))
    if found is None:
        raise NotFound("role")
    return found


async def _given_by(room: RuleRoom, like: str) -> frozenset[str]:
    """What another role gives, name by name, so that nothing comes in later that nobody chose."""
    if not like:
        return frozenset()
    found = await room.decisions.role(role_name(like))
    if found is None:
        raise InvalidInput("like", "is no role", "Choose one of the list.")
    return found.permissions & room.catalogue.permissions.keys()


async def _list(
    request: Request,
    pages: Pages,
    room: RuleRoom,
    *,
    error: IdentityError | None = None,
    typed: tuple[str, str, str] = ("", "", ""),
) -> Response:
    roles = await room.decisions.all_roles()
    context: dict[str, object] = {
        "roles": roles,
        "copies": [
            ("", marked("Nothing yet")),
            *((role.name, role.name) for role in roles if "*" not in role.permissions),
        ],
        "error": str(error) if error else "",
        "wrong": error.field if isinstance(error, InvalidInput) else "",
        "name": typed[0][:80],
        "description": typed[1][:500],
        "like": typed[2],
        "done": marked("The role is deleted.") if request.query_params.get("done") == "deleted" else "",
    }
    return await pages.render(request, "identity/roles.html", context, status_code=400 if error else 200)


async def _role(
    request: Request,
    pages: Pages,
    room: RuleRoom,
    role: Role,
    *,
    wanted: tuple[frozenset[str], str, bool] | None = None,
    effect: ShownEffect | None = None,
    error: IdentityError | None = None,
) -> Response:
    members = await room.roles.members(role.name)
    known = room.catalogue.permissions.keys()
    names = await room.asking.names({held.subject for held in members})
    context: dict[str, object] = {
        "role": role,
        "local": role.source == "local" and not role.protected,
        "wanted": wanted or (role.permissions, role.description, role.requestable),
        "groups": room.grouped(),
        "others": sorted(role.permissions - known),
        "effect": effect,
        "members": members,
        "names": names,
        "chart": role_chart(
            role.name,
            [names.get(held.subject, held.subject) for held in members[:_DRAWN]],
            role.permissions,
            wanted[0] if wanted else role.permissions,
            ["*", *sorted({one.split(".")[0] for one in known})],
        ),
        "error": str(error) if error else "",
        "done": _DONE.get(request.query_params.get("done", "")),
    }
    return await pages.render(request, "identity/role.html", context, status_code=400 if error else 200)
