"""Delegation routes: people let agents act for them, and take it back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.proofs.delegations import (
    DelegationNew,
    DelegationOut,
    DelegationsOut,
    DelegationTokenOut,
)
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.delegations.grants import Delegations, NewDelegation
from au_sys_identity.core.subjects.models import subject_id
from au_sys_identity.core.tokens.delegated import DelegationTokens
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/delegations", tags=["delegations"])

Grants = Annotated[Delegations, inject(Delegations)]
Rights = Annotated[Decisions, inject(Decisions)]


@router.get("", operation_id="list_delegations", summary="Who may act for me, or for whom I may act")
@access(authenticated=True)
async def list_delegations(request: Request, grants: Grants, decisions: Rights) -> DelegationsOut:
    """One's own; with ``identity.delegations.read`` all of them. Newest first."""
    caller = caller_of(request)
    everybodys = await decisions.holds(caller, "identity.delegations.read")
    found = await grants.listed(caller, everybodys=everybodys)
    return DelegationsOut(items=[DelegationOut.of(known) for known in found])


@router.post("", operation_id="create_delegation", summary="Let an agent act for me", status_code=201)
@access(authenticated=True)
async def create_delegation(
    request: Request, body: DelegationNew, grants: Grants, steps: Annotated[StepUp, inject(StepUp)]
) -> DelegationOut:
    """People only, and never more than they hold. The agent needs the right as well, and keeps it only as long."""
    caller = caller_of(request)
    await steps.require(caller, human=True)
    wanted = NewDelegation(
        subject_id(body.agent, "agent", "app"),
        body.domain,
        frozenset(body.permissions),
        body.expires_at,
        frozenset(body.resources),
        body.max_uses,
    )
    return DelegationOut.of(await grants.grant(caller, wanted))


@router.delete("/{delegation_id}", operation_id="revoke_delegation", summary="End a grant", status_code=204)
@access(authenticated=True)
async def revoke_delegation(
    request: Request,
    delegation_id: UUID,
    grants: Grants,
    decisions: Rights,
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """At once, for one's own; with ``identity.delegations.revoke`` for any."""
    caller = caller_of(request)
    await steps.require(caller, human=True)
    anybodys = await decisions.holds(caller, "identity.delegations.revoke")
    await grants.revoke(delegation_id, by=caller, anybodys=anybodys)
    return Response(status_code=204)


@router.post("/{delegation_id}/token", operation_id="create_delegation_token", summary="A token to act for somebody")
@access(authenticated=True)
async def create_delegation_token(
    request: Request,
    response: Response,
    delegation_id: UUID,
    tokens: Annotated[DelegationTokens, inject(DelegationTokens)],
) -> DelegationTokenOut:
    """For the agent of the grant, with its key; the token's ``sub`` is the person, its ``act`` the agent."""
    token, seconds = await tokens.issue(caller_of(request), str(delegation_id))
    response.headers["cache-control"] = "no-store"
    return DelegationTokenOut(access_token=token, expires_in=seconds)
