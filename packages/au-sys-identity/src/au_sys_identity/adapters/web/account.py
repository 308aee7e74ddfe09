"""My account at a glance, my profile and my password."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.clients import client_of
from au_sys_identity.adapters.api.session_cookies import keep_session
from au_sys_identity.adapters.web.security import ask_again
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.administration import Accounts, ProfileChange
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, InvalidInput, WeakPassword, WeakSession
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
) -> Response:
    """Change name and language."""
    try:
        await accounts.change_profile(caller_of(request).id, ProfileChange(display_name, locale))
    except IdentityError as error:
        return await _profile(request, pages, accounts, error=error, typed=(display_name[:400], locale[:400]))
    return RedirectResponse("/account/profile?saved=profile", 303)


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
    typed: tuple[str, str] | None = None,
) -> Response:
    person = await accounts.get(caller_of(request).id)
    name, locale = typed or (person.display_name, person.locale or "")
    context: dict[str, object] = {
        "person": person,
        "name": name,
        "locale": locale,
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
