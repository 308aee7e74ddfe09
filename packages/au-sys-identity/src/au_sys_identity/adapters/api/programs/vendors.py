"""AI provider routes: who hosts the models that agents use."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.schemas.machines import VendorNew, VendorOut, VendorsOut, VendorUpdate
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.machines.vendors import ProviderChange, Providers
from au_sys_identity.core.subjects.models import subject_id
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/ai-providers", tags=["machines"])

Known = Annotated[Providers, inject(Providers)]
Steps = Annotated[StepUp, inject(StepUp)]


@router.get("", operation_id="list_ai_providers", summary="AI providers")
@access(permission="identity.providers.read")
async def list_ai_providers(providers: Known, status: Literal["active", "disabled"] | None = None) -> VendorsOut:
    """By name."""
    return VendorsOut(items=[VendorOut.of(provider) for provider in await providers.every(status)])


@router.post("", operation_id="create_ai_provider", summary="Make an AI provider", status_code=201)
@access(permission="identity.providers.write")
async def create_ai_provider(request: Request, body: VendorNew, providers: Known) -> VendorOut:
    """A vendor or host that agents may name."""
    wanted = ProviderChange(body.name, body.vendor, tuple(body.models), body.region, body.homepage)
    return VendorOut.of(await providers.create(wanted, by=caller_of(request).urn))


@router.get("/{provider_id}", operation_id="get_ai_provider", summary="One AI provider")
@access(permission="identity.providers.read")
async def get_ai_provider(response: Response, provider_id: str, providers: Known) -> VendorOut:
    """With its version, for changes."""
    found = await providers.get(subject_id(provider_id, "provider"))
    response.headers["etag"] = f'"{found.version}"'
    return VendorOut.of(found)


@router.patch("/{provider_id}", operation_id="change_ai_provider", summary="Change an AI provider")
@access(permission="identity.providers.write")
async def change_ai_provider(
    request: Request,
    response: Response,
    provider_id: str,
    body: VendorUpdate,
    providers: Known,
    steps: Steps,
    if_match: IfMatch = None,
) -> VendorOut:
    """Disabled, it stops its agents from their next request on."""
    caller = caller_of(request)
    await steps.require(caller)
    models = None if body.models is None else tuple(body.models)
    change = ProviderChange(**{**body.model_dump(), "models": models})
    found = subject_id(provider_id, "provider")
    changed = await providers.change(found, change, by=caller.urn, expected_version=expected_version(if_match))
    response.headers["etag"] = f'"{changed.version}"'
    return VendorOut.of(changed)


@router.delete("/{provider_id}", operation_id="delete_ai_provider", summary="Close an AI provider", status_code=204)
@access(permission="identity.providers.write")
async def delete_ai_provider(request: Request, provider_id: str, providers: Known, steps: Steps) -> Response:
    """When no agent names it any more."""
    caller = caller_of(request)
    await steps.require(caller)
    await providers.close(subject_id(provider_id, "provider"), by=caller.urn)
    return Response(status_code=204)
