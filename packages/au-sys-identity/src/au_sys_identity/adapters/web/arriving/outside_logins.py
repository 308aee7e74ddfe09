"""A browser's trip to an outside provider and back."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_or_none
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import drop_departure, keep_departure, keep_session
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.api.schemas.proofs.sessions import TokensOut
from au_sys_identity.adapters.web.arriving.entering import entered, second_step_page
from au_sys_identity.adapters.web.arriving.targets import safe_target
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.directories.providers import ProviderAnswer
from au_sys_identity.core.errors import MfaRequired
from au_sys_identity.core.sessions.models import SessionKind
from au_sys_identity.core.tokens.issuing import Issuing
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(prefix="/auth/oauth", tags=["outside logins"])

Ways = Annotated[OutsideSignIn, inject(OutsideSignIn)]
Cookies = Annotated[CookieNames, inject(CookieNames)]
_LONGEST = 4096


@router.get(
    "/{provider}/authorize",
    operation_id="begin_outside_login",
    summary="Go to a provider to sign in",
    status_code=302,
    response_class=RedirectResponse,
)
@access(public=True)
@within_volume
async def begin_outside_login(
    request: Request,
    provider: str,
    ways: Ways,
    cookies: Cookies,
    next: Annotated[str, Query(max_length=2000)] = "",
    transport: Annotated[str, Query(pattern="^(web|body)$")] = "web",
    purpose: Annotated[str, Query(pattern="^(sign-in|confirm)$")] = "sign-in",
) -> Response:
    """The browser keeps the flow in a cookie. With ``transport=body`` the callback answers with tokens. With
    ``purpose=confirm`` whoever is signed in proves it there once more.
    """
    kind: SessionKind = "token" if transport == "body" else "web"
    proving = caller_or_none(request) if purpose == "confirm" else None
    departure = await ways.depart(provider, target=safe_target(next), kind=kind, proving=proving)
    response = RedirectResponse(departure.address, 302)
    keep_departure(response, cookies, departure.flow)
    return response


@router.get(
    "/{provider}/callback",
    operation_id="end_outside_login",
    summary="Come back from a provider",
    response_model=TokensOut,
    responses={302: {"description": "Signed in, or linked"}},
)
@access(public=True)
@within_volume
async def end_outside_login(
    request: Request,
    provider: str,
    ways: Ways,
    cookies: Cookies,
    pages: Annotated[Pages, inject(Pages)],
    issuing: Annotated[Issuing, inject(Issuing)],
    steps: Annotated[StepUp, inject(StepUp)],
    state: Annotated[str, Query(max_length=_LONGEST)] = "",
    code: Annotated[str, Query(max_length=_LONGEST)] = "",
    iss: Annotated[str | None, Query(max_length=_LONGEST)] = None,
    error: Annotated[str, Query(max_length=_LONGEST)] = "",
) -> Response:
    """Into the account, to the second step, or back to where a login was linked from. A flow counts once."""
    client = client_of(request, cookies).with_device(new_secret())
    answer = ProviderAnswer(state, code, iss, error)
    sealed = request.cookies.get(cookies.departure, "")
    try:
        arrival = await ways.arrive(provider, sealed, answer, client=client, caller=caller_or_none(request))
    except MfaRequired as due:
        asking = await second_step_page(request, pages, due.mfa_token, due.methods, "")
        drop_departure(asking, cookies)
        return asking
    response: Response
    caller = caller_or_none(request)
    if arrival.proved is not None and caller is not None:
        opened = await steps.with_provider(caller, arrival.proved, provider, client=client)
        response = RedirectResponse(safe_target(arrival.target, "/account/security"), 302)
        keep_session(response, cookies, opened)
    elif arrival.opened is None:
        response = RedirectResponse(safe_target(arrival.target, "/account/security"), 302)
    elif arrival.kind == "token":
        tokens = TokensOut.of(await issuing.tokens(arrival.opened), arrival.opened)
        response = JSONResponse(tokens.model_dump(mode="json"), headers={"cache-control": "no-store"})
    else:
        response = entered(cookies, arrival.opened, client, arrival.target)
        response.status_code = 302
    drop_departure(response, cookies)
    return response
