"""Settings of a tool for oneself, and instructions that were seen."""

from typing import Annotated

from fastapi import APIRouter, Response

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.preferences import SettingsIn, SettingsOut
from skriptoteket.core.preferences.settings import Preferences
from skriptoteket.core.roles import RUN
from skriptoteket.core.runs.submission import RunSubmission

router = APIRouter()

Submissions = Annotated[RunSubmission, inject(RunSubmission)]
Kept = Annotated[Preferences, inject(Preferences)]


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


@router.post("/tools/{tool}/instructions/seen", status_code=204, name="skriptoteket_api_instructions_seen")
@access(permission=RUN)
async def instructions_seen(tool: str, principal: CurrentPrincipal, submissions: Submissions, kept: Kept) -> Response:
    """Fold the instructions away until they change; idempotent."""
    found, version = await submissions.runnable(tool)
    await kept.see(found.id, version.behaviour, principal.urn)
    return Response(status_code=204)
