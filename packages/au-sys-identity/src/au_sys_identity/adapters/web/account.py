"""My profile, password and sessions."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.clients import client_of
from au_sys_identity.adapters.api.session_cookies import keep_session
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.administration import Accounts, ProfileChange
from au_sys_identity.core.errors import IdentityError, InvalidInput, NotFound, WeakPassword
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import SessionId
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)


@router.get("/account")
@access(authenticated=True)
async def account_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accounts: Annotated[Accounts, inject(Accounts)],
    sessions: Annotated[Sessions, inject(Sessions)],
    decisions: Annotated[Decisions, inject(Decisions)],
) -> Response:
    """Who am I, where am I signed in, what may I do."""
    return await _page(request, pages, accounts, sessions, decisions)


@router.post("/account/profile")
@access(authenticated=True)
async def profile_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accounts: Annotated[Accounts, inject(Accounts)],
    sessions: Annotated[Sessions, inject(Sessions)],
    decisions: Annotated[Decisions, inject(Decisions)],
    display_name: Annotated[str, Form()] = "",
    locale: Annotated[str, Form()] = "",
) -> Response:
    """Change name and language."""
    try:
        await accounts.change_profile(caller_of(request).id, ProfileChange(display_name, locale))
    except IdentityError as error:
        return await _page(request, pages, accounts, sessions, decisions, error=error, name=display_name[:400])
    return RedirectResponse("/account?saved=profile", 303)


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
    cookies: Annotated[CookieNames, inject(CookieNames)],
    current: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
) -> Response:
    """Set a new password; every other session ends and this one gets a new id."""
    caller = caller_of(request)
    try:
        opened = await accounts.change_password(
            await accounts.get(caller.id),
            current,
            new,
            client=client_of(request, cookies),
            reopen=caller.strength,
        )
    except IdentityError as error:
        return await _password_page(request, pages, error)
    response = RedirectResponse("/account?saved=password", 303)
    if opened is not None:
        keep_session(response, cookies, opened)
    return response


@router.post("/account/sessions/{session_id}/end")
@access(authenticated=True)
async def end_session(request: Request, session_id: UUID, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """Sign out somewhere else."""
    caller = caller_of(request)
    with suppress(NotFound):  # it may have ended meanwhile, which is what was wanted
        await sessions.end(caller.id, SessionId(session_id), by=caller.urn)
    return RedirectResponse("/account?saved=session", 303)


async def _page(
    request: Request,
    pages: Pages,
    accounts: Accounts,
    sessions: Sessions,
    decisions: Decisions,
    *,
    error: IdentityError | None = None,
    name: str | None = None,
) -> Response:
    caller = caller_of(request)
    person = await accounts.get(caller.id)
    context: dict[str, object] = {
        "person": person,
        "name": person.display_name if name is None else name,
        "locale": person.locale or "",
        "sessions": await sessions.of_subject(caller.id),
        "current_session": caller.session_id,
        "roles": await decisions.roles_of(caller.urn, person=True),
        "saved": request.query_params.get("saved", ""),
        "error": str(error) if error else "",
        "error_field": error.field if isinstance(error, InvalidInput) else "",
    }
    return await pages.render(request, "identity/account.html", context, status_code=400 if error else 200)


async def _password_page(request: Request, pages: Pages, error: IdentityError | None) -> Response:
    context: dict[str, object] = {
        "error": str(error) if error else "",
        "error_field": "new" if isinstance(error, WeakPassword) else "current",
        "forced": caller_of(request).restricted,
    }
    response = await pages.render(request, "identity/password.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response
