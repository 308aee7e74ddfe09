"""Settings of a tool for oneself, and instructions that were seen."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.preferences import SettingsIn, SettingsOut, TrialSettingsIn
from skriptoteket.adapters.http.acting import Actors, uuid_of
from skriptoteket.core.catalog.lookup import ToolLookup
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.roles import AUTHOR, AUTHOR_ANY, RUN
from skriptoteket.core.runs.submission import RunSubmission
from skriptoteket.core.runs.trials import Trials

router = APIRouter()

Submissions = Annotated[RunSubmission, inject(RunSubmission)]
Kept = Annotated[Preferences, inject(Preferences)]
Tried = Annotated[Trials, inject(Trials)]
Lookup = Annotated[ToolLookup, inject(ToolLookup)]
Rights = Annotated[Actors, inject(Actors)]


@router.get("/tools/{tool}/settings", name="skriptoteket_api_settings")
@access(permission=RUN)
async def settings(tool: str, principal: CurrentPrincipal, submissions: Submissions, kept: Kept) -> SettingsOut:
    """One's settings under the active version; what no longer fits is named once, in `dropped`."""
    found, version = await submissions.runnable(tool)
    return SettingsOut.of(await kept.look(found.id, version.behaviour, principal.urn))


@router.put("/tools/{tool}/settings", name="skriptoteket_api_save_settings")
@access(permission=RUN)
async def save_settings(
    tool: str, body: SettingsIn, principal: CurrentPrincipal, submissions: Submissions, kept: Kept
) -> SettingsOut:
    """Replace one's settings; 409 `settings_rev_stale` when they were saved elsewhere since `expected_rev`."""
    found, version = await submissions.runnable(tool)
    saved = await kept.save(found.id, version.behaviour, principal.urn, body.values, body.expected_rev)
    return SettingsOut.of(saved)


@router.get("/tools/{tool}/sandbox-settings", name="skriptoteket_api_sandbox_settings")
@access(permission=AUTHOR)
async def sandbox_settings(
    tool: str,
    snapshot_id: Annotated[str, Query(max_length=36)],
    principal: CurrentPrincipal,
    kept: Kept,
    trials: Tried,
    lookup: Lookup,
    rights: Rights,
) -> SettingsOut:
    """One's settings for trials, under what was tried; 410 when that text is kept no more."""
    actor, tool_id = await rights.of(principal, (AUTHOR, AUTHOR_ANY)), await lookup.id_of(tool)
    behaviour = await trials.text_of_trial(actor, tool_id, uuid_of("snapshot", snapshot_id))
    return SettingsOut.of(await kept.look(tool_id, behaviour, principal.urn, trial=True))


@router.put("/tools/{tool}/sandbox-settings", name="skriptoteket_api_save_sandbox_settings")
@access(permission=AUTHOR)
async def save_sandbox_settings(
    tool: str,
    body: TrialSettingsIn,
    principal: CurrentPrincipal,
    kept: Kept,
    trials: Tried,
    lookup: Lookup,
    rights: Rights,
) -> SettingsOut:
    """Replace one's settings for trials; a sandbox run without `settings` takes them."""
    actor, tool_id = await rights.of(principal, (AUTHOR, AUTHOR_ANY)), await lookup.id_of(tool)
    behaviour = await trials.text_of_trial(actor, tool_id, uuid_of("snapshot", body.snapshot_id))
    saved = await kept.save(tool_id, behaviour, principal.urn, body.values, body.expected_rev, trial=True)
    return SettingsOut.of(saved)


@router.post("/tools/{tool}/instructions/seen", status_code=204, name="skriptoteket_api_instructions_seen")
@access(permission=RUN)
async def instructions_seen(tool: str, principal: CurrentPrincipal, submissions: Submissions, kept: Kept) -> Response:
    """Fold the instructions away until they change; idempotent."""
    found, version = await submissions.runnable(tool)
    await kept.see(found.id, version.behaviour, principal.urn)
    return Response(status_code=204)
