"""Sign-in and sign-out pages."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.authentication import CookieNames, caller_or_none
from au_sys_identity.adapters.api.clients import client_of
from au_sys_identity.adapters.api.session_cookies import drop_session, keep_device, keep_session
from au_sys_identity.adapters.web.targets import safe_target
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.errors import BadCredentials, IdentityError, MfaRequired, NotFound, TryLater
from au_sys_identity.core.factors.models import Method
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import Client
from au_sys_identity.core.sessions.opening import Opened, new_secret
from au_sys_identity.core.sessions.sign_in import SignIn
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_LONGEST_FIELD = 1024


@router.get("/login")
@access(public=True)
async def login_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    registration: Annotated[Registration, inject(Registration)],
    next: str | None = None,
) -> Response:
    """The page; whoever is signed in goes on to where they wanted."""
    caller = caller_or_none(request)
    if caller is not None:
        return RedirectResponse("/account/password" if caller.restricted else safe_target(next), 303)
    return await _page(request, pages, registration, next, email="", error=None, status=200)


@router.post("/login")
@access(public=True)
async def login_form(
    request: Request,
    sign_in: Annotated[SignIn, inject(SignIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    pages: Annotated[Pages, inject(Pages)],
    registration: Annotated[Registration, inject(Registration)],
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """A session of its own for every sign-in; what the browser brought along is never kept."""
    client = client_of(request, cookies).with_device(new_secret())
    try:
        opened = await sign_in.with_password(email[:_LONGEST_FIELD], password, client=client, kind="web")
    except MfaRequired as second:
        return await _second_step(request, pages, second.mfa_token, next, None)
    except (BadCredentials, TryLater) as error:
        status = 400 if isinstance(error, BadCredentials) else 429
        return await _page(request, pages, registration, next, email=email, error=error, status=status)
    return await _entered(cookies, opened, client, next)


@router.post("/login/mfa")
@access(public=True)
async def second_step_form(
    request: Request,
    sign_in: Annotated[SignIn, inject(SignIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    pages: Annotated[Pages, inject(Pages)],
    mfa_token: Annotated[str, Form()] = "",
    method: Annotated[str, Form()] = "totp",
    code: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """The code of the app, or a recovery code; five tries, then from the start."""
    client = client_of(request, cookies).with_device(new_secret())
    factor: Method = "recovery_code" if method == "recovery_code" else "totp"
    try:
        opened = await sign_in.with_second_factor(mfa_token[:200], factor, code, client=client, kind="web")
    except BadCredentials:
        return await _second_step(request, pages, mfa_token[:200], next, "The code does not fit. Try the newest one.")
    return await _entered(cookies, opened, client, next)


@router.post("/logout")
@access(public=True)
async def logout(
    request: Request,
    sessions: Annotated[Sessions, inject(Sessions)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
) -> Response:
    """End the session of this browser."""
    caller = caller_or_none(request)
    if caller is not None and caller.session_id is not None:
        with suppress(NotFound):  # it may have ended meanwhile, which is what was wanted
            await sessions.end(caller.id, caller.session_id, by=caller.urn)
    response = RedirectResponse("/login", 303)
    drop_session(response, cookies)
    return response


async def _entered(cookies: CookieNames, opened: Opened, client: Client, target: str) -> Response:
    response = RedirectResponse("/account/password" if opened.restricted else safe_target(target), 303)
    response.headers["cache-control"] = "no-store"
    keep_session(response, cookies, opened)
    if client.device_token:
        keep_device(response, cookies, client.device_token)
    return response


async def _second_step(request: Request, pages: Pages, mfa_token: str, target: str, error: str | None) -> Response:
    context: dict[str, object] = {"mfa_token": mfa_token, "next": safe_target(target, ""), "error": error or ""}
    status = 400 if error else 200
    response = await pages.render(request, "identity/second_step.html", context, status_code=status)
    response.headers["cache-control"] = "no-store"
    return response


async def _page(
    request: Request,
    pages: Pages,
    registration: Registration,
    target: str | None,
    *,
    email: str,
    error: IdentityError | None,
    status: int,
) -> Response:
    response = await pages.render(
        request,
        "identity/sign_in.html",
        {
            "next": safe_target(target, default=""),
            "email": email[:_LONGEST_FIELD],
            "error": str(error) if error else "",
            "registration_open": registration.policy.mode == "open",
        },
        status_code=status,
    )
    response.headers["cache-control"] = "no-store"
    if isinstance(error, TryLater):
        response.headers["retry-after"] = str(error.retry_after)
    return response
