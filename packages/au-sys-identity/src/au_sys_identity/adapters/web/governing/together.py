"""Groups, organizations, and the neighbourhood of a subject as a picture drawn on the server."""

from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.machines import MachineRoom
from au_sys_identity.adapters.web.governing.neighbourhoods import drawn
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.core.errors import IdentityError, NotFound
from au_sys_identity.core.graph.errors import NotPermitted
from au_sys_identity.core.graph.linking import Wanted
from au_sys_identity.core.graph.traversal import neighbourhood, walk
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.organizations.models import DEFAULT_SLUG
from au_sys_identity.core.organizations.ports import MemberFilter
from au_sys_identity.core.subjects.models import person_id, subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_GROUPS, _ORGANIZATIONS = "/admin/identity/groups", "/admin/identity/organizations"
_PAGE = 50
_DRAWN = 60
"""Subjects that one picture shows."""

Room = Annotated[MachineRoom, inject(MachineRoom)]
Frame = Annotated[Pages, inject(Pages)]


@router.get(_GROUPS)
@access(permission="identity.groups.read")
async def groups_page(
    request: Request,
    pages: Frame,
    room: Room,
    q: Annotated[str, Query(max_length=120)] = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Search groups."""
    return await _groups(request, pages, room, q=q, after=after)


@router.post(_GROUPS)
@access(permission="identity.groups.write")
async def make_group(
    request: Request,
    pages: Frame,
    room: Room,
    name: Annotated[str, Form(max_length=400)] = "",
    description: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Make a group, and answer for it."""
    caller = caller_of(request)
    try:
        place = await room.organizations.by_slug(DEFAULT_SLUG)
        made = await room.groups.create(name, description, place.id, owner=caller.id, by=caller.urn)
    except IdentityError as error:
        return await _groups(request, pages, room, error=str(error), typed=(name, description))
    return await undoable(request, f"{_GROUPS}/{made.id}")


@router.get(_GROUPS + "/{group_id}")
@access(permission="identity.groups.read")
async def group_page(
    request: Request, group_id: str, pages: Frame, room: Room, skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> Response:
    """One group: who is in it, and in what it is."""
    return await _group(request, pages, room, group_id, skip=skip)


@router.post(_GROUPS + "/{group_id}")
@access(permission="identity.groups.write")
async def change_group_page(
    request: Request,
    group_id: str,
    pages: Frame,
    room: Room,
    act: Annotated[str, Form(max_length=20)] = "",
    member: Annotated[str, Form(max_length=80)] = "",
) -> Response:
    """Take somebody in, let somebody go, or close the group."""
    caller = caller_of(request)

    async def change() -> str:
        group = await room.groups.get(subject_id(group_id, "group"))
        if act == "close":
            await room.groups.close(group.id, by=caller.urn)
            return _GROUPS
        found = subject_id(member.strip())
        named = (await room.reach.names([group.id]))[group.id]
        if not await room.reach.may(caller, "identity.graph.link", named):
            raise NotPermitted("identity.graph.link", DEFAULT_SLUG)
        if found is None:
            raise NotFound("subject")
        if act == "add":
            await room.reach.subject(caller, member.strip(), "identity.graph.link")
            await room.reach.check_ceiling(caller.urn, named)
            await room.linking.link(Wanted(found, "member_of", group.id), by=caller.urn)
        else:
            await room.stopping.unlink(found, "member_of", group.id, by=caller.urn)
        return f"{_GROUPS}/{group.id}"

    return await _redirected(request, change, lambda error: _group(request, pages, room, group_id, error=error))


@router.get("/admin/identity/graph/{subject}")
@access(permission="identity.graph.read")
async def graph_page(
    request: Request, subject: str, pages: Frame, room: Room, depth: Annotated[int, Query(ge=1, le=4)] = 2
) -> Response:
    """What is around a subject, as a picture and as a table that says the same."""
    named = await room.reach.subject(caller_of(request), subject, "identity.graph.read")
    nodes, steps = neighbourhood(await room.graph.current(), named.id, depth=depth, limit=_DRAWN)
    names = await room.reach.names(nodes)
    context: dict[str, object] = {
        "subject": named,
        "depth": depth,
        "picture": drawn([names[node] for node in nodes if node in names], steps),
        "rows": [(names[step[0]], step[1], names[step[2]]) for step in steps if step[0] in names and step[2] in names],
    }
    return await pages.render(request, "identity/graph.html", context)


@router.get(_ORGANIZATIONS)
@access(permission="identity.organizations.read")
async def organizations_page(request: Request, pages: Frame, room: Room) -> Response:
    """All organizations that the caller may read."""
    return await _organizations(request, pages, room)


@router.post(_ORGANIZATIONS)
@access(permission="identity.organizations.write")
async def make_organization(
    request: Request,
    pages: Frame,
    room: Room,
    slug: Annotated[str, Form(max_length=63)] = "",
    name: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Make an organization."""
    caller = caller_of(request)

    async def change() -> str:
        if not await room.reach.decisions.holds(caller, "identity.organizations.write", domain="*"):
            raise NotPermitted("identity.organizations.write", "*")
        made = await room.organizations.create(slug, name, by=caller.urn)
        return f"{_ORGANIZATIONS}/{made.slug}"

    return await _redirected(
        request, change, lambda error: _organizations(request, pages, room, error=error, typed=(slug, name))
    )


@router.get(_ORGANIZATIONS + "/{slug}")
@access(authenticated=True)
async def organization_page(
    request: Request, slug: str, pages: Frame, room: Room, after: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """Its members."""
    return await _organization(request, pages, room, slug, after=after)


@router.post(_ORGANIZATIONS + "/{slug}")
@access(authenticated=True)
async def change_organization_page(
    request: Request,
    slug: str,
    pages: Frame,
    room: Room,
    act: Annotated[str, Form(max_length=20)] = "",
    member: Annotated[str, Form(max_length=80)] = "",
) -> Response:
    """Take a person in, let one go, or remove the organization."""
    caller = caller_of(request)

    async def change() -> str:
        _found, proof = await room.reach.organization(caller, slug, "identity.organizations.write", change=True)
        if act == "remove":
            await room.organizations.remove(proof, by=caller.urn)
            return _ORGANIZATIONS
        if act == "add":
            seen = await room.reach.subject(caller, member.strip(), "identity.users.read", "person")
            await room.organizations.add(proof, seen.id, by=caller.urn)
        else:
            await room.organizations.drop(proof, subject_id(member, "person"), by=caller.urn)
        return f"{_ORGANIZATIONS}/{slug}"

    return await _redirected(request, change, lambda error: _organization(request, pages, room, slug, error=error))


async def _redirected(
    request: Request, change: Callable[[], Awaitable[str]], shown: Callable[[str], Awaitable[Response]]
) -> Response:
    try:
        page = await change()
    except IdentityError as error:
        return await shown(str(error))
    return await undoable(request, page)


async def _groups(
    request: Request,
    pages: Pages,
    room: MachineRoom,
    *,
    q: str = "",
    after: str = "",
    error: str = "",
    typed: tuple[str, str] = ("", ""),
) -> Response:
    wanted = GroupFilter(q, None, None, person_id(after) if after else None, _PAGE + 1)
    found = await room.groups.page(wanted)
    context: dict[str, object] = {
        "groups": found[:_PAGE],
        "next": str(found[_PAGE - 1].id) if len(found) > _PAGE else "",
        "q": q,
        "error": error,
        "name": typed[0],
        "description": typed[1],
    }
    return await pages.render(request, "identity/groups.html", context, status_code=400 if error else 200)


async def _group(
    request: Request, pages: Pages, room: MachineRoom, group_id: str, *, skip: int = 0, error: str = ""
) -> Response:
    group = await room.groups.get(subject_id(group_id, "group"))
    index = await room.graph.current()
    found = list(islice(walk(group.id, index.member_steps), skip, skip + _PAGE + 1))
    inside = found[:_PAGE]
    above = [there for _step, there in index.group_steps(group.id)]
    owners = [there for _step, there in index.upward_steps(group.id)]
    names = await room.reach.names([*(one.subject for one in inside), *above, *owners])
    context: dict[str, object] = {
        "group": group,
        "members": [(names[one.subject], one.depth) for one in inside if one.subject in names],
        "next": skip + _PAGE if len(found) > _PAGE else 0,
        "above": [names[one] for one in above if one in names],
        "owners": [names[one] for one in owners if one in names],
        "error": error,
    }
    return await pages.render(request, "identity/group.html", context, status_code=400 if error else 200)


async def _organizations(
    request: Request, pages: Pages, room: MachineRoom, *, error: str = "", typed: tuple[str, str] = ("", "")
) -> Response:
    caller = caller_of(request)
    shown = [
        known
        for known in await room.organizations.every()
        if await room.reach.decisions.holds(caller, "identity.organizations.read", domain=known.slug)
    ]
    context: dict[str, object] = {"organizations": shown, "error": error, "slug": typed[0], "name": typed[1]}
    return await pages.render(request, "identity/organizations.html", context, status_code=400 if error else 200)


async def _organization(
    request: Request, pages: Pages, room: MachineRoom, slug: str, *, after: str = "", error: str = ""
) -> Response:
    caller = caller_of(request)
    found, proof = await room.reach.organization(caller, slug, "identity.organizations.read", change=True)
    wanted = MemberFilter(person_id(after) if after else None, _PAGE + 1)
    members_of = await room.organizations.members(proof, wanted)
    context: dict[str, object] = {
        "organization": found,
        "members": members_of[:_PAGE],
        "next": str(members_of[_PAGE - 1][1].id) if len(members_of) > _PAGE else "",
        "error": error,
    }
    return await pages.render(request, "identity/organization.html", context, status_code=400 if error else 200)
