"""Runtime settings (E19, E20)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.schemas.settings import SettingsChange, SettingsOut
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.settings.changing import RuntimeSettings
from au_sys_identity.core.settings.models import ShownSettings
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["settings"])

Known = Annotated[RuntimeSettings, inject(RuntimeSettings)]


@router.get("/management/settings/", operation_id="list_settings", summary="Settings")
@access(permission="identity.settings.read")
async def list_settings(response: Response, settings: Known) -> SettingsOut:
    """What is set, where it comes from, and what may be changed while the platform runs."""
    return _tagged(response, await settings.shown())


@router.patch("/management/settings/", operation_id="change_settings", summary="Change settings")
@access(permission="identity.settings.write")
async def change_settings(
    request: Request,
    response: Response,
    body: SettingsChange,
    settings: Known,
    steps: Annotated[StepUp, inject(StepUp)],
    if_match: IfMatch = None,
) -> SettingsOut:
    """In force on every node within a second. What lowers the guard takes ``accept_weaker``."""
    caller = caller_of(request)
    await steps.require(caller)
    changed = await settings.change(
        body.values,
        by=caller.urn,
        accept_weaker=body.accept_weaker,
        expected_version=expected_version(if_match),
    )
    return _tagged(response, changed)


def _tagged(response: Response, shown: ShownSettings) -> SettingsOut:
    response.headers["etag"] = f'"{shown.version}"'
    response.headers["cache-control"] = "no-store"
    return SettingsOut.of(shown)
