"""Organization routes: an organization in which the caller holds nothing does not exist for them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.together import (
    OrganizationMemberOut,
    OrganizationMembersOut,
    OrganizationNew,
    OrganizationOut,
    OrganizationsOut,
    OrganizationUpdate,
)
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.graph.errors import NotPermitted
from au_sys_identity.core.organizations.membership import Organizations
from au_sys_identity.core.organizations.ports import MemberFilter
from au_sys_identity.core.subjects.models import subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/organizations", tags=["organizations"])

Known = Annotated[Organizations, inject(Organizations)]
Within = Annotated[Reach, inject(Reach)]


@router.get("", operation_id="list_organizations", summary="Organizations")
@access(authenticated=True)
async def list_organizations(request: Request, organizations: Known, reach: Within) -> OrganizationsOut:
    """Those in which the caller holds the right to read them, and their own."""
    caller = caller_of(request)
    own = {known.id for known in await organizations.of_subject(caller.id)}
    items = []
    for known in await organizations.every():
        if known.id in own or await reach.decisions.holds(caller, "identity.organizations.read", domain=known.slug):
            items.append(OrganizationOut.of(known))
    return OrganizationsOut(items=items)


@router.post("", operation_id="create_organization", summary="Make an organization", status_code=201)
@access(authenticated=True)
async def create_organization(
    request: Request, body: OrganizationNew, organizations: Known, reach: Within
) -> OrganizationOut:
    """By those who may for all of them."""
    caller = caller_of(request)
    if not await reach.decisions.holds(caller, "identity.organizations.write", domain="*"):
        raise NotPermitted("identity.organizations.write", "*")
    return OrganizationOut.of(await organizations.create(body.slug, body.name, by=caller.urn))


@router.get("/{slug}", operation_id="get_organization", summary="One organization")
@access(authenticated=True)
async def get_organization(
    request: Request, response: Response, slug: str, organizations: Known, reach: Within
) -> OrganizationOut:
    """For its members, and those who hold something in it."""
    found, _proof = await reach.organization(caller_of(request), slug, "identity.organizations.read")
    response.headers["etag"] = f'"{found.version}"'
    return OrganizationOut.of(found)


@router.patch("/{slug}", operation_id="change_organization", summary="Rename an organization")
@access(authenticated=True)
async def change_organization(
    request: Request,
    response: Response,
    slug: str,
    body: OrganizationUpdate,
    organizations: Known,
    reach: Within,
    if_match: IfMatch = None,
) -> OrganizationOut:
    """The slug stays: rules name it."""
    caller = caller_of(request)
    _found, proof = await reach.organization(caller, slug, "identity.organizations.write", change=True)
    changed = await organizations.rename(
        slug, body.name, proof, by=caller.urn, expected_version=expected_version(if_match)
    )
    response.headers["etag"] = f'"{changed.version}"'
    return OrganizationOut.of(changed)


@router.delete("/{slug}", operation_id="delete_organization", summary="Remove an organization", status_code=204)
@access(authenticated=True)
async def delete_organization(request: Request, slug: str, organizations: Known, reach: Within) -> Response:
    """When nobody and nothing belongs to it any more."""
    caller = caller_of(request)
    _found, proof = await reach.organization(caller, slug, "identity.organizations.write", change=True)
    await organizations.remove(proof, by=caller.urn)
    return Response(status_code=204)


@router.get("/{slug}/members", operation_id="list_organization_members", summary="Who belongs to an organization")
@access(authenticated=True)
async def list_organization_members(
    request: Request,
    slug: str,
    organizations: Known,
    reach: Within,
    page: Paged,
) -> OrganizationMembersOut:
    """For those who may read the organization; being a member of it is not enough."""
    _found, proof = await reach.organization(caller_of(request), slug, "identity.organizations.read", change=True)
    found = await organizations.members(proof, MemberFilter(page.subject, page.limit + 1))
    items = [OrganizationMemberOut.of(membership, person) for membership, person in found[: page.limit]]
    return OrganizationMembersOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.put("/{slug}/members/{person}", operation_id="add_organization_member", summary="Take a person in")
@access(authenticated=True)
async def add_organization_member(
    request: Request, slug: str, person: str, organizations: Known, reach: Within
) -> OrganizationMemberOut:
    """A person whom the caller may see already; everybody else gets an invitation, whether they have an account or
    not: nobody learns who exists elsewhere.
    """
    caller = caller_of(request)
    _found, proof = await reach.organization(caller, slug, "identity.organizations.write", change=True)
    try:
        seen = await reach.subject(caller, person, "identity.users.read", "person")
    except NotFound:
        raise NotFound("person") from None
    return OrganizationMemberOut.of(*await organizations.add(proof, seen.id, by=caller.urn))


@router.delete(
    "/{slug}/members/{person}", operation_id="drop_organization_member", summary="Let a member leave", status_code=204
)
@access(authenticated=True)
async def drop_organization_member(
    request: Request, slug: str, person: str, organizations: Known, reach: Within
) -> Response:
    """What they held in the organization goes with them. One may leave oneself."""
    caller = caller_of(request)
    wanted = subject_id(person, "person")
    leaving = wanted == caller.id
    permission = "identity.organizations.read" if leaving else "identity.organizations.write"
    _found, proof = await reach.organization(caller, slug, permission, change=not leaving)
    await organizations.drop(proof, wanted, by=caller.urn)
    return Response(status_code=204)
