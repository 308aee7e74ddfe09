"""Second step of a sign-in, confirming that it is me, authenticator app and recovery codes."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.clients import client_of
from au_sys_identity.adapters.api.qr import qr_svg
from au_sys_identity.adapters.api.session_cookies import keep_session
from au_sys_identity.adapters.web.targets import safe_target
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, StepUpRequired
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.models import METHODS
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/account/security"


@router.get("/account/confirm")
@access(authenticated=True)
async def confirm_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    next: str = "",
) -> Response:
    """Ask for a fresh proof, then go on."""
    return await _confirm(request, pages, enrolment, next, None)


@router.post("/account/confirm")
@access(authenticated=True)
async def confirm_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    steps: Annotated[StepUp, inject(StepUp)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    method: Annotated[str, Form()] = "password",
    secret: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """The session gets a new id."""
    caller, client = caller_of(request), client_of(request, cookies)
    try:
        if method in METHODS:
            factor = METHODS[METHODS.index(method)]
            opened = await steps.with_code(caller, factor, secret, client=client)
        else:
            opened = await steps.with_password(caller, secret, client=client)
    except IdentityError as error:
        return await _confirm(request, pages, enrolment, next, error)
    response = RedirectResponse(safe_target(next, _HERE), 303)
    keep_session(response, cookies, opened)
    return response


@router.get("/account/security")
@access(authenticated=True)
async def security_page(
    request: Request, pages: Annotated[Pages, inject(Pages)], enrolment: Annotated[Enrolment, inject(Enrolment)]
) -> Response:
    """What protects the account."""
    return await _security(request, pages, enrolment)


@router.post("/account/security/totp")
@access(authenticated=True)
async def begin_totp(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """Show the QR code of a new secret."""
    caller = caller_of(request)
    try:
        await steps.require(caller)
        begun = await enrolment.begin_totp(await accounts.get(caller.id))
    except StepUpRequired:
        return ask_again(_HERE)
    except IdentityError as error:
        return await _security(request, pages, enrolment, error=error)
    # segno draws the code from our own text, which it escapes
    picture = Markup(qr_svg(begun.uri))  # noqa: S704
    return await _security(request, pages, enrolment, begun={"secret": begun.secret, "picture": picture})


@router.post("/account/security/totp/confirm")
@access(authenticated=True)
async def confirm_totp(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    code: Annotated[str, Form()] = "",
) -> Response:
    """Enrol the app and show the recovery codes, this once."""
    caller = caller_of(request)
    try:
        await steps.require(caller)
        codes = await enrolment.confirm_totp(await accounts.get(caller.id), code)
    except StepUpRequired:
        return ask_again(_HERE)
    except IdentityError:
        wrong = "The code does not fit. Begin again and take the newest code."
        return await _security(request, pages, enrolment, message=wrong)
    return await _security(request, pages, enrolment, codes=codes)


@router.post("/account/security/totp/remove")
@access(authenticated=True)
async def remove_totp(
    request: Request,
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """Remove app and recovery codes."""
    caller = caller_of(request)
    try:
        await steps.require(caller)
    except StepUpRequired:
        return ask_again(_HERE)
    await enrolment.remove_totp(await accounts.get(caller.id), by=caller.urn)
    return RedirectResponse(_HERE, 303)


@router.post("/account/security/recovery-codes")
@access(authenticated=True)
async def new_codes(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """Ten new codes, shown this once."""
    caller = caller_of(request)
    try:
        await steps.require(caller)
        codes = await enrolment.new_recovery_codes(await accounts.get(caller.id))
    except StepUpRequired:
        return ask_again(_HERE)
    except IdentityError as error:
        return await _security(request, pages, enrolment, error=error)
    return await _security(request, pages, enrolment, codes=codes)


def ask_again(target: str) -> Response:
    """Send the browser to where it proves itself; afterwards it comes back to the target."""
    return RedirectResponse(f"/account/confirm?next={target}", 303)


async def _confirm(
    request: Request, pages: Pages, enrolment: Enrolment, target: str, error: IdentityError | None
) -> Response:
    context: dict[str, object] = {
        "next": safe_target(target, ""),
        "methods": (await enrolment.enrolled(caller_of(request).id)).methods,
        "error": str(error) if error else "",
    }
    return await pages.render(request, "identity/confirm.html", context, status_code=400 if error else 200)


async def _security(
    request: Request,
    pages: Pages,
    enrolment: Enrolment,
    *,
    begun: dict[str, object] | None = None,
    codes: list[str] | None = None,
    error: IdentityError | None = None,
    message: str = "",
) -> Response:
    context: dict[str, object] = {
        "enrolled": await enrolment.enrolled(caller_of(request).id),
        "begun": begun,
        "codes": codes,
        "error": message or (str(error) if error else ""),
    }
    status = 400 if context["error"] else 200
    response = await pages.render(request, "identity/security.html", context, status_code=status)
    response.headers["cache-control"] = "no-store"
    return response
