"""Group routes: for administrators of the group's organization, and who owns the group."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.together import (
    GroupMembersOut,
    GroupNew,
    GroupOut,
    GroupsOut,
    GroupUpdate,
    MemberOut,
    NodeOut,
    StepOut,
)
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.graph.errors import NotPermitted
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.traversal import members
from au_sys_identity.core.groups.administration import GroupChange, Groups
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.organizations.membership import Organizations
from au_sys_identity.core.organizations.models import DEFAULT_SLUG
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/groups", tags=["groups"])

Known = Annotated[Groups, inject(Groups)]
Within = Annotated[Reach, inject(Reach)]
Graph = Annotated[LiveGraph, inject(LiveGraph)]
Tenants = Annotated[Organizations, inject(Organizations)]


@router.get("", operation_id="list_groups", summary="Groups")
@access(authenticated=True)
async def list_groups(
    request: Request,
    groups: Known,
    reach: Within,
    tenants: Tenants,
    page: Paged,
    q: Annotated[str, Query(max_length=120)] = "",
    organization: Annotated[str, Query(max_length=63)] = DEFAULT_SLUG,
) -> GroupsOut:
    """Of an organization, for those who may read its groups; for everybody else their own."""
    caller = caller_of(request)
    after = page.subject
    wanted = GroupFilter(q, None, caller.id, after, page.limit + 1)
    if await reach.decisions.holds(caller, "identity.groups.read", domain=organization):
        place = await tenants.by_slug(organization)
        wanted = GroupFilter(q, place.id, None, after, page.limit + 1)
    found = await groups.page(wanted)
    items = [GroupOut.of(group, await tenants.slug_of(group.organization_id)) for group in found[: page.limit]]
    return GroupsOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("", operation_id="create_group", summary="Make a group", status_code=201)
@access(authenticated=True)
async def create_group(request: Request, body: GroupNew, groups: Known, reach: Within, tenants: Tenants) -> GroupOut:
    """Whoever makes it answers for it."""
    caller = caller_of(request)
    await reach.organization(caller, body.organization, "identity.groups.write", change=True)
    place = await tenants.by_slug(body.organization)
    owner = caller.id if caller.kind == "person" else None
    made = await groups.create(body.name, body.description, place.id, owner=owner, by=caller.urn)
    return GroupOut.of(made, place.slug)


@router.get("/{group_id}", operation_id="get_group", summary="One group")
@access(authenticated=True)
async def get_group(
    request: Request, response: Response, group_id: str, groups: Known, reach: Within, graph: Graph, tenants: Tenants
) -> GroupOut:
    """For its owners, its members and those who may read groups."""
    group = await _visible(caller_of(request), group_id, groups, reach, graph)
    response.headers["etag"] = f'"{group.version}"'
    return GroupOut.of(group, await tenants.slug_of(group.organization_id))


@router.patch("/{group_id}", operation_id="change_group", summary="Change a group")
@access(authenticated=True)
async def change_group(
    request: Request,
    response: Response,
    group_id: str,
    body: GroupUpdate,
    groups: Known,
    reach: Within,
    graph: Graph,
    tenants: Tenants,
    if_match: IfMatch = None,
) -> GroupOut:
    """Name and description."""
    caller = caller_of(request)
    group = await _manageable(caller, group_id, groups, reach, graph)
    change = GroupChange(body.name, body.description)
    changed = await groups.change(group.id, change, by=caller.urn, expected_version=expected_version(if_match))
    response.headers["etag"] = f'"{changed.version}"'
    return GroupOut.of(changed, await tenants.slug_of(changed.organization_id))


@router.delete("/{group_id}", operation_id="delete_group", summary="Close a group", status_code=204)
@access(authenticated=True)
async def delete_group(request: Request, group_id: str, groups: Known, reach: Within, graph: Graph) -> Response:
    """When nobody stands in it any more; its roles go with it."""
    caller = caller_of(request)
    group = await _manageable(caller, group_id, groups, reach, graph)
    await groups.close(group.id, by=caller.urn)
    return Response(status_code=204)


@router.get("/{group_id}/members", operation_id="list_group_members", summary="Who belongs to a group")
@access(authenticated=True)
async def list_group_members(
    request: Request,
    group_id: str,
    groups: Known,
    reach: Within,
    graph: Graph,
    page: Paged,
    transitive: bool = False,
) -> GroupMembersOut:
    """For its owners and those who may read groups; ``transitive`` goes through groups in it."""
    group = await _visible(caller_of(request), group_id, groups, reach, graph, members_too=False)
    found = members(await graph.current(), group.id, transitive=transitive)
    shown = found[page.offset : page.offset + page.limit]
    names = await reach.names([group.id, *(end for one in shown for step in one.via for end in (step[0], step[2]))])
    items = [
        MemberOut(
            subject=NodeOut.of(names[one.subject]), depth=one.depth, via=[StepOut.of(step, names) for step in one.via]
        )
        for one in shown
        if one.subject in names
    ]
    return GroupMembersOut(items=items, next_cursor=page.beyond(len(found)))


async def _visible(
    caller: Principal, text: str, groups: Groups, reach: Reach, graph: LiveGraph, *, members_too: bool = True
) -> Group:
    """A group that the caller may know about.

    Raises:
        NotFound: to everybody else it does not exist.
    """
    group = await groups.get(subject_id(text, "group"))
    index = await graph.current()
    if caller.id in index.custody(group.id).custodians:
        return group
    if members_too and group.urn in index.groups_of(caller.urn):
        return group
    named = (await reach.names([group.id])).get(group.id)
    if named is not None and await reach.may(caller, "identity.groups.read", named):
        return group
    raise NotFound("group")


async def _manageable(caller: Principal, text: str, groups: Groups, reach: Reach, graph: LiveGraph) -> Group:
    """A group that the caller may change.

    Raises:
        NotFound, NotPermitted: it is not for the caller.
    """
    group = await _visible(caller, text, groups, reach, graph)
    if caller.id in (await graph.current()).custody(group.id).custodians:
        return group
    named = (await reach.names([group.id]))[group.id]
    if not await reach.may(caller, "identity.groups.write", named):
        raise NotPermitted("identity.groups.write", (await reach.domains_of(named))[0])
    return group
