"""Role, grant and permission routes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.rights.access import (
    AssignmentNew,
    AssignmentOut,
    AssignmentsOut,
    MembersOut,
    PermissionOut,
    PermissionsOut,
    RoleChange,
    RoleNew,
    RoleOut,
    RolesOut,
)
from au_sys_identity.adapters.api.schemas.rights.policies import GivenListOut, GivenOut, HeldListOut, HeldOut
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import Catalogue, role_name
from au_sys_identity.core.access.roles import Roles
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import NotFound
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["access"])


@router.get("/rbac/users/{user_id}/roles", operation_id="list_user_roles", summary="Roles of a subject")
@access(authenticated=True)
async def list_user_roles(
    request: Request,
    user_id: str,
    granting: Annotated[Granting, inject(Granting)],
    decisions: Annotated[Decisions, inject(Decisions)],
    domain: Annotated[str | None, Query(max_length=64)] = None,
) -> AssignmentsOut:
    """One's own, or with ``identity.roles.read`` anybody's."""
    subject = await _subject(request, user_id, granting, decisions, "identity.roles.read", domain)
    return AssignmentsOut(roles=[AssignmentOut.of(held) for held in await granting.assignments(subject, domain)])


@router.get(
    "/rbac/users/{user_id}/roles/implicit", operation_id="list_implicit_roles", summary="Every role of a subject"
)
@access(authenticated=True)
async def list_implicit_roles(
    request: Request,
    user_id: str,
    granting: Annotated[Granting, inject(Granting)],
    decisions: Annotated[Decisions, inject(Decisions)],
    domain: Annotated[str, Query(max_length=64)] = "default",
) -> HeldListOut:
    """Also those that come through other roles and groups, nearest first, with the way to each."""
    subject = await _subject(request, user_id, granting, decisions, "identity.roles.read", domain)
    engine = await decisions.policy.current()
    found = engine.get_implicit_roles_for_user(subject, domain)
    return HeldListOut(roles=[HeldOut.of(held, domain) for held in found])


@router.get("/rbac/users/{user_id}/permissions", operation_id="list_user_permissions", summary="What a subject may do")
@access(authenticated=True)
async def list_user_permissions(
    request: Request,
    user_id: str,
    granting: Annotated[Granting, inject(Granting)],
    decisions: Annotated[Decisions, inject(Decisions)],
    domain: Annotated[str, Query(max_length=64)] = "default",
    implicit: bool = True,
) -> GivenListOut:
    """Every rule that reaches the subject; with ``implicit=false`` only its own."""
    subject = await _subject(request, user_id, granting, decisions, "identity.policies.read", domain)
    engine = await decisions.policy.current()
    found = engine.get_implicit_permissions_for_user(subject, domain)
    return GivenListOut(
        permissions=[GivenOut.of(given) for given in found if implicit or given.rule.subject == subject]
    )


@router.post("/rbac/users/{user_id}/roles", operation_id="assign_role", summary="Give a role", status_code=201)
@access(permission="identity.roles.assign")
async def assign_role(
    request: Request,
    user_id: str,
    body: AssignmentNew,
    granting: Annotated[Granting, inject(Granting)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> AssignmentOut:
    """Give a role to a subject; nobody gives more than they hold."""
    await steps.require(caller_of(request))
    made = await granting.grant(
        await granting.urn_of(user_id),
        body.role,
        by=caller_of(request).urn,
        domain=body.domain,
        expires_at=body.expires_at,
    )
    return AssignmentOut.of(made)


@router.delete("/rbac/users/{user_id}/roles", operation_id="withdraw_role", summary="Take a role", status_code=204)
@access(permission="identity.roles.assign")
async def withdraw_role(
    request: Request,
    user_id: str,
    granting: Annotated[Granting, inject(Granting)],
    steps: Annotated[StepUp, inject(StepUp)],
    role: Annotated[str, Query(max_length=120)],
    domain: Annotated[str, Query(max_length=64)] = "default",
) -> Response:
    """Take a role away; it counts no more from the next request on."""
    await steps.require(caller_of(request))
    await granting.withdraw(await granting.urn_of(user_id), role, by=caller_of(request).urn, domain=domain)
    return Response(status_code=204)


@router.get("/rbac/roles/{name}/members", operation_id="list_role_members", summary="Who holds a role")
@access(permission="identity.roles.read")
async def list_role_members(name: str, roles: Annotated[Roles, inject(Roles)]) -> MembersOut:
    """By assignment; through groups and other roles, see each subject."""
    return MembersOut(items=[AssignmentOut.of(held) for held in await roles.members(name)])


@router.get("/rbac/roles", operation_id="list_roles", summary="All roles")
@access(permission="identity.roles.read")
async def list_roles(
    decisions: Annotated[Decisions, inject(Decisions)],
    domain: Annotated[str | None, Query(max_length=64)] = None,
) -> RolesOut:
    """Shipped, contributed and local roles."""
    found = [role for role in await decisions.all_roles() if domain in (None, role.domain)]
    return RolesOut(items=[RoleOut.of(role) for role in found])


@router.post("/rbac/roles", operation_id="create_role", summary="Make a role", status_code=201)
@access(permission="identity.roles.write")
async def create_role(
    request: Request, body: RoleNew, roles: Annotated[Roles, inject(Roles)], steps: Annotated[StepUp, inject(StepUp)]
) -> RoleOut:
    """A role of this installation."""
    await steps.require(caller_of(request))
    made = await roles.create(
        body.name,
        body.description,
        frozenset(body.permissions),
        by=caller_of(request).urn,
        requestable=body.requestable,
    )
    return RoleOut.of(made)


@router.get("/rbac/roles/{name}", operation_id="get_role", summary="One role")
@access(permission="identity.roles.read")
async def get_role(name: str, decisions: Annotated[Decisions, inject(Decisions)]) -> RoleOut:
    """A role by name, with or without ``role:``."""
    found = await decisions.role(role_name(name))
    if found is None:
        raise NotFound("role")
    return RoleOut.of(found)


@router.patch("/rbac/roles/{name}", operation_id="change_role", summary="Change a role")
@access(permission="identity.roles.write")
async def change_role(
    request: Request,
    name: str,
    body: RoleChange,
    roles: Annotated[Roles, inject(Roles)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> RoleOut:
    """Description or permissions of a local role."""
    await steps.require(caller_of(request))
    permissions = None if body.permissions is None else frozenset(body.permissions)
    changed = await roles.change(
        name,
        by=caller_of(request).urn,
        description=body.description,
        permissions=permissions,
        requestable=body.requestable,
    )
    return RoleOut.of(changed)


@router.delete("/rbac/roles/{name}", operation_id="delete_role", summary="Delete a role", status_code=204)
@access(permission="identity.roles.write")
async def delete_role(
    request: Request, name: str, roles: Annotated[Roles, inject(Roles)], steps: Annotated[StepUp, inject(StepUp)]
) -> Response:
    """A local role that nobody holds."""
    await steps.require(caller_of(request))
    await roles.delete(name, by=caller_of(request).urn)
    return Response(status_code=204)


@router.get("/rbac/permissions", operation_id="list_permissions", summary="Catalogue of permissions")
@access(permission="identity.policies.read")
async def list_permissions(catalogue: Annotated[Catalogue, inject(Catalogue)]) -> PermissionsOut:
    """Every named right of every capability."""
    names = sorted(catalogue.permissions.items())
    return PermissionsOut(items=[PermissionOut(name=name, summary=summary) for name, summary in names])


async def _subject(
    request: Request, named: str, granting: Granting, decisions: Decisions, permission: str, domain: str | None
) -> str:
    """The URN of the caller, or of anybody for whoever holds the permission; nobody else learns who exists."""
    caller = caller_of(request)
    if named not in (str(caller.id), caller.urn):
        if not await decisions.holds(caller, permission, domain=domain or "default"):
            raise NotFound("subject")
        return await granting.urn_of(named)
    return caller.urn
