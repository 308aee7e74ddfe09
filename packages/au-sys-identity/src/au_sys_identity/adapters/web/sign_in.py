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
from au_sys_identity.core.errors import BadCredentials, IdentityError, NotFound, TryLater
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.opening import new_secret
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
    client = client_of(request, cookies)
    try:
        opened = await sign_in.with_password(email[:_LONGEST_FIELD], password, client=client, kind="web")
    except (BadCredentials, TryLater) as error:
        status = 400 if isinstance(error, BadCredentials) else 429
        return await _page(request, pages, registration, next, email=email, error=error, status=status)
    response = RedirectResponse("/account/password" if opened.restricted else safe_target(next), 303)
    response.headers["cache-control"] = "no-store"
    keep_session(response, cookies, opened)
    device = client.device_token or new_secret()
    if client.device_token is None:
        await sign_in.remember_device(opened, device)
    keep_device(response, cookies, device)
    return response


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
