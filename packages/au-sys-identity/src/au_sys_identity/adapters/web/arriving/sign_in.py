"""Sign-in and sign-out pages."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_or_none, led_to
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import drop_session, flow_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.web.arriving.choices import WaysIn
from au_sys_identity.adapters.web.arriving.entering import LONGEST_FIELD, entered, second_step_page, sign_in_page
from au_sys_identity.adapters.web.arriving.targets import safe_target
from au_sys_identity.core.accounts.magic_links import MagicLinks
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.errors import BadCredentials, BadToken, ConfirmNeeded, MfaRequired, NotFound, TryLater
from au_sys_identity.core.factors.models import METHODS, Method
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_LONGEST_TOKEN = 200


@router.get("/login")
@access(public=True)
@within_volume
async def login_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    registration: Annotated[Registration, inject(Registration)],
    magic: Annotated[MagicLinks, inject(MagicLinks)],
    ways: Annotated[WaysIn, inject(WaysIn)],
    next: str | None = None,
) -> Response:
    """The page; whoever is signed in goes on to where they wanted."""
    caller = caller_or_none(request)
    if caller is not None:
        return RedirectResponse(led_to(request) or safe_target(next), 303)
    return await sign_in_page(request, pages, registration, magic, ways, next)


@router.post("/login")
@access(public=True)
async def login_form(
    request: Request,
    sign_in: Annotated[SignIn, inject(SignIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    pages: Annotated[Pages, inject(Pages)],
    registration: Annotated[Registration, inject(Registration)],
    magic: Annotated[MagicLinks, inject(MagicLinks)],
    ways: Annotated[WaysIn, inject(WaysIn)],
    volume: Annotated[Volume, inject(Volume)],
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """A session of its own for every sign-in; what the browser brought along is never kept."""
    client = client_of(request, cookies).with_device(new_secret())
    try:
        await volume.sign_in(client, email[:LONGEST_FIELD])
        opened = await sign_in.with_password(email[:LONGEST_FIELD], password, client=client, kind="web")
    except MfaRequired as second:
        return await second_step_page(request, pages, second.mfa_token, second.methods, next)
    except (BadCredentials, TryLater) as error:
        status = 400 if isinstance(error, BadCredentials) else 429
        response = await sign_in_page(
            request, pages, registration, magic, ways, next, email=email, error=str(error), status=status
        )
        if isinstance(error, TryLater):
            response.headers["retry-after"] = str(error.retry_after)
        return response
    return entered(cookies, opened, client, next)


@router.post("/login/mfa")
@access(public=True)
async def second_step_form(
    request: Request,
    sign_in: Annotated[SignIn, inject(SignIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    pages: Annotated[Pages, inject(Pages)],
    volume: Annotated[Volume, inject(Volume)],
    mfa_token: Annotated[str, Form()] = "",
    method: Annotated[str, Form()] = "totp",
    code: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """A passkey, the code of the app, or a recovery code; five tries, then from the start."""
    client = client_of(request, cookies).with_device(new_secret())
    await volume.sign_in(client)
    token = mfa_token[:_LONGEST_TOKEN]
    factor: Method = METHODS[METHODS.index(method)] if method in METHODS else "totp"
    given = answer if factor == "passkey" else code
    try:
        opened = await sign_in.with_second_factor(token, factor, given, client=client, kind="web")
    except BadCredentials:
        error = marked("That does not fit. Try again; for a code take the newest one.")
        return await second_step_page(request, pages, token, await sign_in.methods_of(token), next, error=error)
    return entered(cookies, opened, client, next)


@router.get("/login/link")
@access(public=True)
@within_volume
async def link_page(
    request: Request, pages: Annotated[Pages, inject(Pages)], magic: Annotated[MagicLinks, inject(MagicLinks)]
) -> Response:
    """Ask for a link."""
    if not magic.enabled:
        raise NotFound("way to sign in")
    return await pages.render(request, "identity/magic_ask.html", {"done": False})


@router.post("/login/link")
@access(public=True)
async def link_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    magic: Annotated[MagicLinks, inject(MagicLinks)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
    email: Annotated[str, Form()] = "",
) -> Response:
    """The same answer for every address."""
    await volume.mail(client_of(request, cookies), email[:LONGEST_FIELD])
    response = await pages.render(request, "identity/magic_ask.html", {"done": True})
    flow = flow_of(request, response, cookies)
    await magic.ask(email[:LONGEST_FIELD], flow=flow, client=client_of(request, cookies))
    return response


@router.get("/magic")
@access(public=True)
@within_volume
async def magic_page(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """Where the link leads; opening it uses nothing up."""
    return await _magic(request, pages)


@router.post("/magic")
@access(public=True)
async def magic_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    magic: Annotated[MagicLinks, inject(MagicLinks)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
    token: Annotated[str, Form()] = "",
    confirm: Annotated[str, Form()] = "",
) -> Response:
    """Sign in with the link; in another browser after a confirmation."""
    client = client_of(request, cookies).with_device(new_secret())
    await volume.sign_in(client)
    token = token[:_LONGEST_TOKEN]
    try:
        opened = await magic.sign_in(token, flow=client.flow, confirmed=confirm == "on", client=client, kind="web")
    except MfaRequired as second:
        return await second_step_page(request, pages, second.mfa_token, second.methods, "")
    except ConfirmNeeded as error:
        return await _magic(request, pages, error=str(error), token=token)
    except BadToken as error:
        return await _magic(request, pages, error=str(error))
    return entered(cookies, opened, client, "")


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


async def _magic(request: Request, pages: Pages, *, error: str = "", token: str = "") -> Response:
    context: dict[str, object] = {"error": error, "token": token, "confirm": bool(token)}
    response = await pages.render(request, "identity/magic.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response
