"""My account at a glance, my profile and my password."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import keep_session
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.administration import Accounts, ProfileChange
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, InvalidInput, StepUpRequired, WeakPassword, WeakSession
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import Strength
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_STRENGTHS: dict[Strength, str] = {
    "mail": "by a link in a mail",
    "password": "with a password",
    "multi": "in two steps",
    "phishing_resistant": "with a passkey",
}


@router.get("/account")
@access(authenticated=True)
async def account_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accounts: Annotated[Accounts, inject(Accounts)],
    sessions: Annotated[Sessions, inject(Sessions)],
    decisions: Annotated[Decisions, inject(Decisions)],
) -> Response:
    """Who am I, how surely, what may I do."""
    caller = caller_of(request)
    context: dict[str, object] = {
        "person": await accounts.get(caller.id),
        "strength": _STRENGTHS[caller.strength],
        "enrolled": caller.enrolled,
        "sessions": len(await sessions.of_subject(caller.id)),
        "roles": await decisions.roles_of(caller.urn, person=True),
        "saved": request.query_params.get("saved", ""),
    }
    return await pages.render(request, "identity/account.html", context)


@router.get("/account/profile")
@access(authenticated=True)
async def profile_page(
    request: Request, pages: Annotated[Pages, inject(Pages)], accounts: Annotated[Accounts, inject(Accounts)]
) -> Response:
    """Name, language, address."""
    return await _profile(request, pages, accounts)


@router.post("/account/profile")
@access(authenticated=True)
async def profile_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accounts: Annotated[Accounts, inject(Accounts)],
    display_name: Annotated[str, Form()] = "",
    locale: Annotated[str, Form()] = "",
    timezone: Annotated[str, Form()] = "",
) -> Response:
    """Change name, language and time zone; an empty field leaves language or time zone as it is."""
    try:
        change = ProfileChange(display_name, locale or None, timezone or None)
        await accounts.change_profile(caller_of(request).id, change)
    except IdentityError as error:
        typed = {"display_name": display_name[:400], "locale": locale[:400], "timezone": timezone[:64]}
        return await _profile(request, pages, accounts, error=error, typed=typed)
    return RedirectResponse("/account/profile?saved=profile", 303)


@router.post("/account/profile/email")
@access(authenticated=True)
async def email_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    email: Annotated[str, Form()] = "",
) -> Response:
    """Ask for another address; it counts once its owner opened the mail."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        await accounts.ask_for_address(caller.id, email)
    except (StepUpRequired, WeakSession):
        return ask_again("/account/profile")
    except IdentityError as error:
        return await _profile(request, pages, accounts, error=error, typed={"email": email[:320]})
    return RedirectResponse("/account/profile?saved=email", 303)


@router.get("/account/password")
@access(authenticated=True)
async def password_page(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """The form; people with a one-time password see nothing else before it is changed."""
    return await _password_page(request, pages, None)


@router.post("/account/password")
@access(authenticated=True)
async def password_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
) -> Response:
    """Set a new password; every other session ends and this one gets a new id."""
    caller = caller_of(request)
    try:
        await steps.require_strongest(caller)
        opened = await accounts.change_password(
            await accounts.get(caller.id),
            current,
            new,
            client=client_of(request, cookies),
            reopen=caller.strength,
        )
    except WeakSession:
        return ask_again("/account/password")
    except IdentityError as error:
        return await _password_page(request, pages, error)
    response = RedirectResponse("/account?saved=password", 303)
    if opened is not None:
        keep_session(response, cookies, opened)
    return response


async def _profile(
    request: Request,
    pages: Pages,
    accounts: Accounts,
    *,
    error: IdentityError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    person = await accounts.get(caller_of(request).id)
    kept = {"display_name": person.display_name, "locale": person.locale, "timezone": person.timezone, "email": ""}
    context: dict[str, object] = {
        "person": person,
        "typed": {**kept, **(typed or {})},
        "saved": request.query_params.get("saved", ""),
        "error": str(error) if error else "",
        "error_field": error.field if isinstance(error, InvalidInput) else "",
    }
    return await pages.render(request, "identity/profile.html", context, status_code=400 if error else 200)


async def _password_page(request: Request, pages: Pages, error: IdentityError | None) -> Response:
    context: dict[str, object] = {
        "error": str(error) if error else "",
        "error_field": "new" if isinstance(error, WeakPassword) else "current",
        "forced": caller_of(request).restricted,
    }
    response = await pages.render(request, "identity/password.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response
