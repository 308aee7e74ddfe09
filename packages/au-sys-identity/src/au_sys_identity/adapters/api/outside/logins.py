"""Outside login providers, and linking them to one's account."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.session_cookies import keep_departure
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.api.schemas.directories import DepartureOut, LinkOut, LinksOut, ProviderOut, ProvidersOut
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.errors import HumanOnly
from au_sys_identity.core.principal import Principal
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/auth", tags=["outside logins"])

Ways = Annotated[OutsideSignIn, inject(OutsideSignIn)]
Cookies = Annotated[CookieNames, inject(CookieNames)]
Links = Annotated[Linking, inject(Linking)]
Steps = Annotated[StepUp, inject(StepUp)]


@router.get("/providers", operation_id="list_login_providers", summary="Outside login providers")
@access(public=True)
@within_volume
async def list_login_providers(request: Request, ways: Ways) -> ProvidersOut:
    """What the sign-in page offers."""
    return ProvidersOut(items=[ProviderOut.of(provider) for provider in await ways.choices()])


@router.get("/links", operation_id="list_linked_logins", summary="My outside logins")
@access(authenticated=True)
async def list_linked_logins(request: Request, links: Links) -> LinksOut:
    """Providers that lead to my account."""
    caller = _person(request)
    return LinksOut(items=[LinkOut.of(login) for login in await links.of_subject(caller.id)])


@router.post("/links/{provider}", operation_id="begin_linking", summary="Link an outside login to my account")
@access(authenticated=True)
async def begin_linking(
    request: Request, response: Response, provider: str, ways: Ways, cookies: Cookies, steps: Steps
) -> DepartureOut:
    """Where this very browser has to go; what it brings back is linked to the account that is signed in now."""
    caller = _person(request)
    await steps.require(caller, own_security=True)
    departure = await ways.depart(provider, target="/account/security", linking=caller)
    keep_departure(response, cookies, departure.flow)
    response.headers["cache-control"] = "no-store"
    return DepartureOut(authorize_url=departure.address)


@router.delete("/links/{link_id}", operation_id="unlink_login", summary="Unlink an outside login", status_code=204)
@access(authenticated=True)
async def unlink_login(request: Request, link_id: str, links: Links, steps: Steps) -> Response:
    """The last way in stays."""
    caller = _person(request)
    await steps.require(caller, own_security=True)
    if caller.account is None:
        raise HumanOnly
    await links.unlink(caller.account, link_id)
    return Response(status_code=204)


def _person(request: Request) -> Principal:
    caller = caller_of(request)
    if caller.kind != "person":
        raise HumanOnly
    return caller
