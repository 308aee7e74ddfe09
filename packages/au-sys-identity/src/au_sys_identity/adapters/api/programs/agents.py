"""AI agent routes; keys and closing are those of service accounts under the agents' own paths."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.programs.machines import (
    Known,
    Within,
    agents,
    listed,
    manageable,
    visible,
    wanted_machine,
)
from au_sys_identity.adapters.api.schemas.machines import AgentNew, AgentOut, AgentsOut, AgentUpdate
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.machines.accounts import AgentSpec, MachineChange
from au_sys_identity.core.organizations.models import DEFAULT_SLUG
from au_sys_identity.core.subjects.models import subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = agents


@router.get("", operation_id="list_ai_agents", summary="AI agents")
@access(authenticated=True)
async def list_ai_agents(
    request: Request,
    machines: Known,
    reach: Within,
    page: Paged,
    organization: Annotated[str, Query(max_length=63)] = DEFAULT_SLUG,
    status: Literal["active", "disabled"] | None = None,
) -> AgentsOut:
    """Those that the caller answers for; with ``identity.machines.read`` all of the organization."""
    found = await listed(
        request,
        machines,
        reach,
        "agent",
        organization=organization,
        status=status,
        after=page.subject,
        limit=page.limit + 1,
    )
    items = [AgentOut.of(known) for known in found[: page.limit]]
    return AgentsOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("", operation_id="create_ai_agent", summary="Make an AI agent", status_code=201)
@access(permission="identity.machines.create")
async def create_ai_agent(request: Request, body: AgentNew, machines: Known, reach: Within) -> AgentOut:
    """With the person who answers for it. A sub-agent gets at most its parent's rights, and stops with it."""
    wanted = await wanted_machine(request, body, reach)
    provider = subject_id(body.provider, "provider")
    parent = subject_id(body.parent, "app", "agent") if body.parent else None
    if body.parent and parent is None:
        raise InvalidInput("parent", "is no machine", "Name a service account or an agent.")
    if parent is not None:
        await reach.subject(caller_of(request), body.parent or "", "identity.machines.update", "app", "agent")
    spec = AgentSpec(provider, tuple(body.model_spec.names), body.provenance, body.hosting)
    made = await machines.create(wanted.as_agent(spec, parent, body.cap), by=caller_of(request).urn)
    return AgentOut.of(made)


@router.get("/{account_id}", operation_id="get_ai_agent", summary="One AI agent")
@access(authenticated=True)
async def get_ai_agent(
    request: Request, response: Response, account_id: str, machines: Known, reach: Within
) -> AgentOut:
    """For itself, its custodians, and those who may read machines."""
    known = await visible(request, account_id, machines, reach)
    response.headers["etag"] = f'"{known.machine.version}"'
    return AgentOut.of(known)


@router.patch("/{account_id}", operation_id="change_ai_agent", summary="Change an AI agent")
@access(authenticated=True)
async def change_ai_agent(
    request: Request,
    response: Response,
    account_id: str,
    body: AgentUpdate,
    machines: Known,
    reach: Within,
    steps: Annotated[StepUp, inject(StepUp)],
    if_match: IfMatch = None,
) -> AgentOut:
    """Disabled, its keys are refused from the next request on, and its children with it."""
    caller, known = await manageable(request, account_id, machines, reach, steps, "identity.machines.update")
    given = body.model_dump(exclude={"provider", "model_spec"})
    names = tuple(body.model_spec.names) if body.model_spec else None
    provider = subject_id(body.provider, "provider") if body.provider else None
    if body.provider and provider is None:
        raise InvalidInput("provider", "is not an active provider", "GET /iam/ai-providers lists them.")
    changed = await machines.change(
        known.machine.id,
        MachineChange(**given, provider=provider, model_names=names),
        by=caller.urn,
        expected_version=expected_version(if_match),
    )
    response.headers["etag"] = f'"{changed.machine.version}"'
    return AgentOut.of(changed)
