"""Service-account routes: who answers for a machine may manage it, as may administrators."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.machines import (
    AgentOut,
    MachineOut,
    MachinesOut,
    MachineUpdate,
    RotatedKeyOut,
    RotationBody,
)
from au_sys_identity.adapters.api.schemas.machines import MachineNew as MachineBody
from au_sys_identity.adapters.api.schemas.proofs.tokens import KeyNew, KeyOut, KeySecretOut, KeysOut
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import HumanOnly, NotFound
from au_sys_identity.core.machines.accounts import MachineChange, Machines
from au_sys_identity.core.machines.accounts import MachineNew as NewMachine
from au_sys_identity.core.machines.models import KnownMachine, MachineMfa
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.organizations.models import DEFAULT_SLUG
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import Status, SubjectId, SubjectKind, person_id, subject_id, subject_urn
from au_sys_identity.core.tokens.keys import ApiKeys
from au_sys_identity.core.tokens.rotation import KeyRotation
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/service-accounts", tags=["machines"])
agents = APIRouter(prefix="/iam/ai-agents", tags=["machines"])
"""The same keys and the same end under the path of agents; what is different stands in ``agents.py``."""

Known = Annotated[Machines, inject(Machines)]
Within = Annotated[Reach, inject(Reach)]


@router.get("", operation_id="list_service_accounts", summary="Service accounts")
@access(authenticated=True)
async def list_service_accounts(
    request: Request,
    machines: Known,
    reach: Within,
    page: Paged,
    organization: Annotated[str, Query(max_length=63)] = DEFAULT_SLUG,
    status: Literal["active", "disabled"] | None = None,
) -> MachinesOut:
    """Those that the caller answers for; with ``identity.machines.read`` all of them."""
    found = await listed(
        request,
        machines,
        reach,
        "app",
        organization=organization,
        status=status,
        after=page.subject,
        limit=page.limit + 1,
    )
    items = [MachineOut.of(known) for known in found[: page.limit]]
    return MachinesOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("", operation_id="create_service_account", summary="Make a service account", status_code=201)
@access(permission="identity.machines.create")
async def create_service_account(request: Request, body: MachineBody, machines: Known, reach: Within) -> MachineOut:
    """A program with rights of its own, and the person who answers for it, in one step."""
    wanted = await wanted_machine(request, body, reach)
    return MachineOut.of(await machines.create(wanted, by=caller_of(request).urn))


@router.get("/{account_id}", operation_id="get_service_account", summary="One service account")
@access(authenticated=True)
async def get_service_account(
    request: Request, response: Response, account_id: str, machines: Known, reach: Within
) -> MachineOut:
    """For itself, its custodians, and those who may read machines."""
    known = await visible(request, account_id, machines, reach)
    return _tagged(response, MachineOut.of(known))


@router.patch("/{account_id}", operation_id="change_service_account", summary="Change a service account")
@access(authenticated=True)
async def change_service_account(
    request: Request,
    response: Response,
    account_id: str,
    body: MachineUpdate,
    machines: Known,
    reach: Within,
    steps: Annotated[StepUp, inject(StepUp)],
    if_match: IfMatch = None,
) -> MachineOut:
    """Disabled, its keys are refused from the next request on."""
    caller, known = await manageable(request, account_id, machines, reach, steps, "identity.machines.update")
    changed = await machines.change(
        known.machine.id,
        MachineChange(**body.model_dump()),
        by=caller.urn,
        expected_version=expected_version(if_match),
    )
    return _tagged(response, MachineOut.of(changed))


@agents.delete("/{account_id}", operation_id="delete_ai_agent", summary="Close an AI agent", status_code=204)
@router.delete(
    "/{account_id}", operation_id="delete_service_account", summary="Close a service account", status_code=204
)
@access(authenticated=True)
async def delete_service_account(
    request: Request,
    account_id: str,
    machines: Known,
    reach: Within,
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """It is closed for ever, with its keys and roles."""
    caller, known = await manageable(request, account_id, machines, reach, steps, "identity.machines.delete")
    await machines.close(known.machine.id, by=caller.urn)
    return Response(status_code=204)


@agents.get("/{account_id}/keys", operation_id="list_ai_agent_keys", summary="Keys of an AI agent")
@router.get("/{account_id}/keys", operation_id="list_service_account_keys", summary="Keys of a service account")
@access(authenticated=True)
async def list_service_account_keys(
    request: Request,
    account_id: str,
    machines: Known,
    reach: Within,
    keys: Annotated[ApiKeys, inject(ApiKeys)],
) -> KeysOut:
    """Without their secrets; for its custodians, and those who may read keys."""
    known = await visible(request, account_id, machines, reach, "identity.keys.read")
    now, urn = datetime.now(UTC), known.machine.urn
    return KeysOut(items=[KeyOut.of(key, urn, now, keys.prefix) for key in await keys.of_owner(known.machine.id)])


@agents.post(
    "/{account_id}/keys", operation_id="create_ai_agent_key", summary="Make a key for an AI agent", status_code=201
)
@router.post(
    "/{account_id}/keys",
    operation_id="create_service_account_key",
    summary="Make a key for a service account",
    status_code=201,
)
@access(authenticated=True)
async def create_service_account_key(
    request: Request,
    response: Response,
    account_id: str,
    body: KeyNew,
    machines: Known,
    reach: Within,
    keys: Annotated[ApiKeys, inject(ApiKeys)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> KeySecretOut:
    """Nobody scopes a key wider than they hold; it gives what the machine holds as well. Shown this once."""
    caller, known = await manageable(request, account_id, machines, reach, steps, "identity.keys.create", human=True)
    life = timedelta(seconds=body.expires_in) if body.expires_in else None
    made = await keys.create(known.machine, body.name, frozenset(body.scopes), by=caller.urn, expires_in=life)
    response.headers["cache-control"] = "no-store"
    shown = KeyOut.of(made.key, known.machine.urn, made.key.created_at, made.prefix)
    return KeySecretOut(**shown.model_dump(), secret=made.secret)


@agents.delete(
    "/{account_id}/keys/{key_id}",
    operation_id="revoke_ai_agent_key",
    summary="Revoke a key of an AI agent",
    status_code=204,
)
@router.delete(
    "/{account_id}/keys/{key_id}",
    operation_id="revoke_service_account_key",
    summary="Revoke a key of a service account",
    status_code=204,
)
@access(authenticated=True, reversibility="irreversible")
async def revoke_service_account_key(
    request: Request,
    account_id: str,
    key_id: UUID,
    machines: Known,
    reach: Within,
    keys: Annotated[ApiKeys, inject(ApiKeys)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """It is dead at once and for good."""
    caller, known = await manageable(request, account_id, machines, reach, steps, "identity.keys.revoke")
    await keys.revoke(key_id, by=caller.urn, owner_id=known.machine.id)
    return Response(status_code=204)


@agents.post(
    "/{account_id}/rotate/{credential_id}",
    operation_id="rotate_ai_agent_key",
    summary="Replace a key of an AI agent",
    status_code=201,
)
@router.post(
    "/{account_id}/rotate/{credential_id}",
    operation_id="rotate_service_account_key",
    summary="Replace a key of a service account",
    status_code=201,
)
@access(authenticated=True)
async def rotate_service_account_key(
    request: Request,
    response: Response,
    account_id: str,
    credential_id: UUID,
    machines: Known,
    reach: Within,
    rotation: Annotated[KeyRotation, inject(KeyRotation)],
    steps: Annotated[StepUp, inject(StepUp)],
    body: RotationBody | None = None,
) -> RotatedKeyOut:
    """A successor, while the old key works on for the overlap. A machine may rotate the very key that it uses."""
    caller = caller_of(request)
    own = caller.kind == _kind_of(request) and caller.id == subject_id(account_id, caller.kind)
    if own and caller.key_id == credential_id:
        owner = caller.id
    else:
        caller, known = await manageable(
            request, account_id, machines, reach, steps, "identity.keys.create", human=True
        )
        owner = known.machine.id
    overlap = timedelta(seconds=(body or RotationBody()).overlap_seconds)
    made, old = await rotation.rotate(owner, credential_id, overlap=overlap, by=caller.urn)
    response.headers["cache-control"] = "no-store"
    shown = KeyOut.of(made.key, subject_urn(_kind_of(request), owner), made.key.created_at, made.prefix).model_dump()
    return RotatedKeyOut(**{**shown, "overlap_until": old.overlap_until}, secret=made.secret, supersedes=old.id)


async def visible(
    request: Request,
    account_id: str,
    machines: Machines,
    reach: Reach,
    permission: str = "identity.machines.read",
) -> KnownMachine:
    """A machine of the route's kind that the caller may know about; to everybody else it does not exist."""
    caller, kind = caller_of(request), _kind_of(request)
    known = await machines.get(subject_id(account_id, kind), kind)
    if known.machine.id == caller.id or known.answered_by(caller.id):
        return known
    if await reach.decisions.holds(caller, permission, domain=known.organization):
        return known
    raise NotFound("machine")


async def manageable(
    request: Request,
    account_id: str,
    machines: Machines,
    reach: Reach,
    steps: StepUp,
    permission: str,
    *,
    human: bool = False,
) -> tuple[Principal, KnownMachine]:
    """A machine that the caller may change, after a fresh proof of who they are; ``human``: by people only."""
    caller, kind = caller_of(request), _kind_of(request)
    known = await machines.get(subject_id(account_id, kind), kind)
    if known.machine.id == caller.id:
        raise HumanOnly
    allowed = known.answered_by(caller.id)
    if not allowed and not await reach.decisions.holds(caller, permission, domain=known.organization):
        raise NotFound("machine")
    await steps.require(caller, human=human)
    return caller, known


async def listed(
    request: Request,
    machines: Machines,
    reach: Reach,
    kind: SubjectKind,
    *,
    organization: str,
    status: Status | None,
    after: SubjectId | None,
    limit: int,
) -> list[KnownMachine]:
    """Machines of an organization for those who may read them there; for everybody else those they answer for."""
    caller = caller_of(request)
    wanted = MachineFilter(status=status, kind=kind, after=after, limit=limit)
    if await reach.decisions.holds(caller, "identity.machines.read", domain=organization):
        found, _proof = await reach.organization(caller, organization, "identity.machines.read")
        return await machines.page(replace(wanted, organization_id=found.id))
    return await machines.page(wanted, answered_by=caller.id)


async def wanted_machine(request: Request, body: MachineBody, reach: Reach) -> NewMachine:
    """A machine in an organization where the caller may make one; without a custodian the caller answers for it."""
    caller = caller_of(request)
    custodian = person_id(body.custodian) if body.custodian else caller.id if caller.kind == "person" else None
    place, _proof = await reach.organization(caller, body.organization, "identity.machines.create", change=True)
    mfa = MachineMfa(body.mfa.mode, body.mfa.applies_to) if body.mfa else None
    return NewMachine(body.name, body.purpose, custodian, place.id, mfa=mfa)


def _kind_of(request: Request) -> SubjectKind:
    return "agent" if "/iam/ai-agents/" in request.scope["path"] else "app"


def itself(known: KnownMachine) -> Response:
    """A machine as it sees itself where people see their accounts."""
    shown = AgentOut.of(known) if known.machine.kind == "agent" else MachineOut.of(known)
    return JSONResponse(shown.model_dump(mode="json"), headers={"etag": f'"{shown.version}"'})


def _tagged(response: Response, shown: MachineOut) -> MachineOut:
    response.headers["etag"] = f'"{shown.version}"'
    return shown
