"""Go on with a tool: its session, and the actions that it offered."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.run_answers import answered
from skriptoteket.adapters.api.schemas.interaction import ActionIn, SessionOut, TrialActionIn
from skriptoteket.adapters.api.schemas.runs import RunDetail
from skriptoteket.adapters.http.acting import Actors, uuid_of
from skriptoteket.adapters.http.submitting import SubmissionDesk
from skriptoteket.adapters.http.used_again import Stepping
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.interaction.actions import Interaction, WantedAction
from skriptoteket.core.ports import Ids
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, RUN, Actor

router = APIRouter()

Stepper = Annotated[Stepping, inject(Stepping)]
Steps = Annotated[Interaction, inject(Interaction)]
Lookup = Annotated[ToolLookup, inject(ToolLookup)]
Desk = Annotated[SubmissionDesk, inject(SubmissionDesk)]
Rights = Annotated[Actors, inject(Actors)]
NewIds = Annotated[Ids, inject(Ids)]


@router.get("/tools/{tool}/session", name="skriptoteket_api_session")
@access(permission=RUN)
async def session(tool: str, principal: CurrentPrincipal, steps: Steps, lookup: Lookup) -> SessionOut:
    """What the tool offers oneself to go on with; 404 when there is no session."""
    found = await steps.look(await lookup.id_of(tool), principal.urn)
    if found is None:
        raise NotFound("session", tool)
    return SessionOut.of(found)


@router.delete("/tools/{tool}/session", status_code=204, name="skriptoteket_api_start_over")
@access(permission=RUN)
async def start_over(tool: str, principal: CurrentPrincipal, steps: Steps, lookup: Lookup) -> Response:
    """Forget what was offered; idempotent, 409 `action_in_progress` while a step runs."""
    await steps.start_over(await lookup.id_of(tool), principal.urn)
    return Response(status_code=204)


@router.post(
    "/tools/{tool}/actions",
    status_code=202,
    response_model=RunDetail,
    responses={200: {"model": RunDetail, "description": "It ended within `Prefer: wait=N`."}},
    name="skriptoteket_api_action",
)
@access(permission=RUN)
async def act(
    tool: str,
    body: ActionIn,
    request: Request,
    principal: CurrentPrincipal,
    stepping: Stepper,
    lookup: Lookup,
    desk: Desk,
    ids: NewIds,
) -> Response:
    """Begin one step. 409 names why not: `state_rev_stale` (with the present one), `action_in_progress`,
    `version_changed`."""
    wanted = WantedAction(
        RunId(ids.new()),
        await lookup.id_of(tool),
        Actor(principal.urn),
        body.action_id,
        body.input,
        body.expected_state_rev,
        locale=principal.locale or desk.default_locale,
        session_files=body.session_files,
    )
    run = await stepping.act(wanted)
    return await answered(request, principal, desk, run.id)


@router.get("/tools/{tool}/sandbox-session", name="skriptoteket_api_sandbox_session")
@access(permission=AUTHOR)
async def sandbox_session(
    tool: str,
    snapshot_id: Annotated[str, Query(max_length=36)],
    principal: CurrentPrincipal,
    steps: Steps,
    lookup: Lookup,
    rights: Rights,
) -> SessionOut:
    """What one's trial offers to go on with; 410 when the tried text is kept no more."""
    actor, tool_id = await rights.of(principal, (AUTHOR, AUTHOR_ANY)), await lookup.id_of(tool)
    context = await steps.context_of_trial(actor, tool_id, uuid_of("snapshot", snapshot_id))
    found = await steps.look(tool_id, principal.urn, context)
    if found is None:
        raise NotFound("session", snapshot_id)
    return SessionOut.of(found)


@router.post(
    "/tools/{tool}/sandbox-actions",
    status_code=202,
    response_model=RunDetail,
    responses={200: {"model": RunDetail, "description": "It ended within `Prefer: wait=N`."}},
    name="skriptoteket_api_sandbox_action",
)
@access(permission=AUTHOR)
async def act_in_sandbox(
    tool: str,
    body: TrialActionIn,
    request: Request,
    principal: CurrentPrincipal,
    steps: Steps,
    stepping: Stepper,
    lookup: Lookup,
    desk: Desk,
    ids: NewIds,
    rights: Rights,
) -> Response:
    """Begin one step of a trial; refused as for users, and 410 when the tried text is kept no more."""
    actor, tool_id = await rights.of(principal, (AUTHOR, AUTHOR_ANY)), await lookup.id_of(tool)
    context = await steps.context_of_trial(actor, tool_id, uuid_of("snapshot", body.snapshot_id))
    locale = principal.locale or desk.default_locale
    wanted = WantedAction(
        RunId(ids.new()),
        tool_id,
        actor,
        body.action_id,
        body.input,
        body.expected_state_rev,
        context,
        locale,
        body.session_files,
    )
    return await answered(request, principal, desk, (await stepping.act(wanted)).id)
