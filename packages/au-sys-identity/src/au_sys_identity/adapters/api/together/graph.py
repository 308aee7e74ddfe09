"""Edges and questions about them (E39 to E42): each end, and each answer, within the caller's reach."""

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.together import (
    DependentOut,
    DependentsOut,
    EdgeOut,
    LinkBody,
    MembershipOut,
    MembershipsOut,
    NeighbourhoodOut,
    NodeOut,
    StepOut,
    UnlinkBody,
)
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import HumanOnly, InvalidInput, NotFound
from au_sys_identity.core.graph.errors import NotPermitted
from au_sys_identity.core.graph.linking import Linking, Wanted
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import RELATIONS, Relation
from au_sys_identity.core.graph.traversal import dependents, ends_with, memberships, neighbourhood
from au_sys_identity.core.machines.stopping import Stopping
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import MACHINES, Named, subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/graph", tags=["graph"])

Graph = Annotated[LiveGraph, inject(LiveGraph)]
Within = Annotated[Reach, inject(Reach)]
Links = Annotated[Linking, inject(Linking)]
Steps = Annotated[StepUp, inject(StepUp)]


@router.post("/link", operation_id="link_subjects", summary="Link two subjects", status_code=201)
@access(authenticated=True)
async def link_subjects(
    request: Request, response: Response, body: LinkBody, reach: Within, links: Links, graph: Graph, steps: Steps
) -> EdgeOut:
    """Who belongs to what, answers for what, is below what, or depends on what. There is one edge of a kind between
    two subjects: asked for again, it is answered as it is. No circles.
    """
    caller = caller_of(request)
    ends = await _ends(caller, body, reach, links, graph, steps)
    if body.expires_at is not None and body.expires_at.tzinfo is None:
        raise InvalidInput("expires_at", "has no time zone", "Give one, such as Z for UTC.")
    if body.relation == "member_of":
        await reach.check_ceiling(caller.urn, ends[1])
    end = body.expires_at.astimezone(UTC) if body.expires_at else None
    wanted = Wanted(ends[0].id, body.relation, ends[1].id, body.attributes, end)
    edge, made = await links.link(wanted, by=caller.urn)
    if not made:
        response.status_code = 200
    return EdgeOut.of(edge, {named.id: named for named in ends}, links.attributes(edge))


@router.delete("/link", operation_id="unlink_subjects", summary="Take an edge away", status_code=204)
@access(authenticated=True)
async def unlink_subjects(
    request: Request,
    reach: Within,
    links: Links,
    graph: Graph,
    steps: Steps,
    stopping: Annotated[Stopping, inject(Stopping)],
    body: UnlinkBody | None = None,
    source: Annotated[str | None, Query(max_length=80)] = None,
    relation: Relation | None = None,
    target: Annotated[str | None, Query(max_length=80)] = None,
) -> Response:
    """By query or by body. The last edge to who answers for a machine goes only when the machine is stopped."""
    if body is not None and (source or relation or target):
        raise InvalidInput("source", "is given twice", "Send query parameters or a body, not both.")
    if body is None:
        if source is None or relation is None or target is None:
            raise InvalidInput("source", "is missing", "Send source, relation and target.")
        body = UnlinkBody(source=source, relation=relation, target=target)
    caller = caller_of(request)
    ends = await _ends(caller, body, reach, links, graph, steps)
    await stopping.unlink(ends[0].id, body.relation, ends[1].id, by=caller.urn)
    return Response(status_code=204)


@router.get("/{identity_id}/memberships", operation_id="list_memberships", summary="Groups of a subject")
@access(authenticated=True)
async def list_memberships(
    request: Request, identity_id: str, reach: Within, graph: Graph, transitive: bool = True
) -> MembershipsOut:
    """With the way there; for itself, and those who may read the graph."""
    subject = await reach.subject(caller_of(request), identity_id, "identity.graph.read")
    found = memberships(await graph.current(), subject.id, transitive=transitive)
    names = await reach.names([subject.id, *(one.subject for one in found)])
    items = [
        MembershipOut(
            group=NodeOut.of(names[one.subject]), depth=one.depth, via=[StepOut.of(step, names) for step in one.via]
        )
        for one in found
        if one.subject in names
    ]
    return MembershipsOut(items=items)


@router.get("/{identity_id}/dependents", operation_id="list_dependents", summary="Who would miss a subject")
@access(authenticated=True)
async def list_dependents(
    request: Request,
    identity_id: str,
    reach: Within,
    graph: Graph,
    page: Paged,
    relations: Annotated[list[Relation] | None, Query(max_length=4)] = None,
    depth: Annotated[int, Query(ge=1, le=32)] = 32,
) -> DependentsOut:
    """What it owns, made and holds together, and what depends on it: nearest first, with what would stop."""
    caller, index = caller_of(request), await graph.current()
    found = subject_id(identity_id)
    own = found is not None and caller.id in index.custody(found).custodians
    names = await reach.names([found]) if own and found else {}
    subject = names.get(found) if found else None
    if subject is None:
        subject = await reach.subject(caller, identity_id, "identity.graph.read")
    wanted = relations or list(RELATIONS)
    reached = dependents(index, subject.id, wanted, depth=depth)
    shown = reached[page.offset : page.offset + page.limit]
    ending = set(ends_with(index, subject.id))
    names = await reach.names([subject.id, *(end for one in shown for step in one.via for end in (step[0], step[2]))])
    items = [
        DependentOut(
            subject=NodeOut.of(names[one.subject]),
            relation=one.via[-1][1],
            depth=one.depth,
            via=[StepOut.of(step, names) for step in one.via],
            would_stop=one.subject in ending or one.via[-1][1] == "dependency_of",
        )
        for one in shown
        if one.subject in names
    ]
    return DependentsOut(items=items, next_cursor=page.beyond(len(reached)))


@router.get("/{identity_id}/neighbourhood", operation_id="get_neighbourhood", summary="What is around a subject")
@access(permission="identity.graph.read")
async def get_neighbourhood(
    request: Request,
    identity_id: str,
    reach: Within,
    graph: Graph,
    depth: Annotated[int, Query(ge=1, le=4)] = 2,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> NeighbourhoodOut:
    """Nodes and edges for a picture, the nearest first."""
    subject = await reach.subject(caller_of(request), identity_id, "identity.graph.read")
    nodes, steps = neighbourhood(await graph.current(), subject.id, depth=depth, limit=limit)
    names = await reach.names(nodes)
    return NeighbourhoodOut(
        nodes=[NodeOut.of(names[node]) for node in nodes if node in names],
        edges=[StepOut.of(step, names) for step in steps],
    )


async def _ends(
    caller: Principal, body: LinkBody | UnlinkBody, reach: Reach, links: Linking, graph: LiveGraph, steps: StepUp
) -> tuple[Named, Named]:
    """Both ends, over which the caller holds ``graph.link``; a machine's owners are its custodians' business.

    Raises:
        NotFound, NotPermitted, HumanOnly, StepUpRequired: it is not for the caller.
    """
    source, target = await links.ends(subject_id(body.source), subject_id(body.target))
    if body.relation in ("owner_of", "child_of") and target.kind in MACHINES:
        if caller.kind != "person":
            raise HumanOnly
        low = target if body.relation == "owner_of" else source
        answers = caller.id in (await graph.current()).custody(low.id).custodians
        if not answers and not await reach.may(caller, "identity.machines.update", low):
            raise NotFound("subject")
        await steps.require(caller)
        if body.relation == "owner_of":
            return source, target
    refused = [end for end in (source, target) if not await reach.may(caller, "identity.graph.link", end)]
    for end in refused:
        if end.id != caller.id and not await reach.may(caller, "identity.graph.read", end):
            raise NotFound("subject")
    if refused:
        raise NotPermitted("identity.graph.link", (await reach.domains_of(refused[0]))[0])
    return source, target
