"""What protects the account: confirming that it is me, authenticator app, recovery codes, sessions and devices."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import keep_session
from au_sys_identity.adapters.api.proofs.qr import qr_svg
from au_sys_identity.adapters.web.arriving.entering import code_options
from au_sys_identity.adapters.web.arriving.targets import safe_target
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import Catalogue, covers
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.errors import IdentityError, NotFound, StepUpRequired, WeakSession
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.models import METHODS
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import SessionId
from au_sys_identity.core.tokens.keys import ApiKeys
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/account/security"


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """What leads into the account beside a password."""

    keys: ApiKeys
    links: Linking
    ways: OutsideSignIn
    decisions: Decisions
    catalogue: Catalogue

    async def shown(self, caller: Principal) -> dict[str, object]:
        """For the page: living keys, what a key may carry, linked logins, and providers that are not linked."""
        now = datetime.now(UTC)
        links = await self.links.of_subject(caller.id)
        linked = {login.provider for login in links}
        held = await self.decisions.permissions_of(caller.urn)
        known = sorted(self.catalogue.permissions)
        return {
            "keys": [key for key in await self.keys.of_owner(caller.id) if key.usable(now)],
            "grantable": [(name, name) for name in known if any(covers(pattern, name) for pattern in held)],
            "links": links,
            "providers": [(one.name, one.label) for one in await self.ways.choices() if one.name not in linked],
        }


class SecurityPage:
    """What protects the account, put together for one page."""

    def __init__(
        self, enrolment: Enrolment, passkeys: Passkeys, sessions: Sessions, cookies: CookieNames, own: OwnAccess
    ) -> None:
        self._enrolment = enrolment
        self._passkeys = passkeys
        self._sessions = sessions
        self._cookies = cookies
        self._own = own

    async def render(
        self,
        request: Request,
        pages: Pages,
        *,
        begun: dict[str, object] | None = None,
        codes: list[str] | None = None,
        key: tuple[str, str] | None = None,
        departure: tuple[str, str] | None = None,
        error: str = "",
    ) -> Response:
        """The page, with a secret or codes that are shown this once, or with what went wrong."""
        caller = caller_of(request)
        context: dict[str, object] = {
            **await self._own.shown(caller),
            "key": key,
            "departure": departure,
            "enrolled": await self._enrolment.enrolled(caller.id),
            "passkeys": await self._passkeys.of_subject(caller.id),
            "sessions": await self._sessions.of_subject(caller.id),
            "current_session": caller.session_id,
            "enrol": request.query_params.get("enrol", "") and not caller.enrolled.methods,
            "devices": await self._sessions.devices(caller.id),
            "this_device": digest(request.cookies.get(self._cookies.device, "")),
            "begun": begun,
            "codes": codes,
            "saved": request.query_params.get("saved", ""),
            "error": error,
        }
        response = await pages.render(request, "identity/security.html", context, status_code=400 if error else 200)
        response.headers["cache-control"] = "no-store"
        return response


@router.get("/account/confirm")
@access(authenticated=True)
async def confirm_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    links: Annotated[Linking, inject(Linking)],
    accounts: Annotated[Accounts, inject(Accounts)],
    next: str = "",
) -> Response:
    """Ask for a fresh proof, then go on."""
    return await _confirm(request, pages, accounts, enrolment, links, next, None)


@router.post("/account/confirm")
@access(authenticated=True)
async def confirm_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    steps: Annotated[StepUp, inject(StepUp)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    links: Annotated[Linking, inject(Linking)],
    accounts: Annotated[Accounts, inject(Accounts)],
    method: Annotated[str, Form()] = "password",
    secret: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """The session gets a new id."""
    caller, client = caller_of(request), client_of(request, cookies)
    try:
        if method in METHODS:
            factor = METHODS[METHODS.index(method)]
            given = answer if factor == "passkey" else secret
            opened = await steps.with_code(caller, factor, given, client=client)
        else:
            opened = await steps.with_password(caller, secret, client=client)
    except IdentityError as error:
        return await _confirm(request, pages, accounts, enrolment, links, next, error)
    response = RedirectResponse(safe_target(next, _HERE), 303)
    keep_session(response, cookies, opened)
    return response


@router.get("/account/security")
@access(authenticated=True)
async def security_page(
    request: Request, pages: Annotated[Pages, inject(Pages)], page: Annotated[SecurityPage, inject(SecurityPage)]
) -> Response:
    """What protects the account."""
    return await page.render(request, pages)


@router.post("/account/security/totp")
@access(authenticated=True)
async def begin_totp(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    page: Annotated[SecurityPage, inject(SecurityPage)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """Show the QR code of a new secret."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        begun = await enrolment.begin_totp(await accounts.get(caller.id))
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    # segno draws the code from our own text, which it escapes
    picture = Markup(qr_svg(begun.uri))  # noqa: S704
    return await page.render(request, pages, begun={"secret": begun.secret, "picture": picture})


@router.post("/account/security/totp/confirm")
@access(authenticated=True)
async def confirm_totp(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    page: Annotated[SecurityPage, inject(SecurityPage)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    code: Annotated[str, Form()] = "",
) -> Response:
    """Enrol the app and show the recovery codes, this once."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        codes = await enrolment.confirm_totp(await accounts.get(caller.id), code)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError:
        wrong = marked("The code does not fit. Begin again and take the newest code.")
        return await page.render(request, pages, error=wrong)
    return await page.render(request, pages, codes=codes)


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
        await steps.require(caller, own_security=True)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    await enrolment.remove_totp(await accounts.get(caller.id), by=caller.urn)
    return RedirectResponse(_HERE, 303)


@router.post("/account/security/recovery-codes")
@access(authenticated=True)
async def new_codes(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    page: Annotated[SecurityPage, inject(SecurityPage)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """Ten new codes, shown this once."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        codes = await enrolment.new_recovery_codes(await accounts.get(caller.id))
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    return await page.render(request, pages, codes=codes)


@router.post("/account/security/sessions/{session_id}/end")
@access(authenticated=True)
async def end_session(request: Request, session_id: UUID, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """Sign out somewhere else."""
    caller = caller_of(request)
    with suppress(NotFound):  # it may have ended meanwhile, which is what was wanted
        await sessions.end(caller.id, SessionId(session_id), by=caller.urn)
    return RedirectResponse(f"{_HERE}?saved=session", 303)


@router.post("/account/security/sessions/end")
@access(authenticated=True)
async def end_other_sessions(request: Request, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """Sign out everywhere else."""
    caller = caller_of(request)
    await sessions.end_all(caller.id, by=caller.urn, keep=caller.session_id)
    return RedirectResponse(f"{_HERE}?saved=session", 303)


@router.post("/account/security/devices/{device_id}/forget")
@access(authenticated=True)
async def forget_device(request: Request, device_id: UUID, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """It is a stranger from now on, and its sessions end."""
    caller = caller_of(request)
    with suppress(NotFound):  # it may be forgotten already, which is what was wanted
        await sessions.forget_device(caller.id, device_id, by=caller.urn)
    return RedirectResponse(f"{_HERE}?saved=device", 303)


def ask_again(target: str) -> Response:
    """Send the browser to where it proves itself; afterwards it comes back to the target."""
    return RedirectResponse(f"/account/confirm?next={target}", 303)


async def _confirm(
    request: Request,
    pages: Pages,
    accounts: Accounts,
    enrolment: Enrolment,
    links: Linking,
    target: str,
    error: IdentityError | None,
) -> Response:
    caller = caller_of(request)
    methods = (await enrolment.enrolled(caller.id)).methods
    source = caller.account.auth_source if caller.account else "local"
    outside = not methods and not source.startswith("directory:") and not await accounts.has_password(caller.id)
    context: dict[str, object] = {
        "outside": [login.provider for login in await links.of_subject(caller.id)] if outside else [],
        "next": safe_target(target, ""),
        "methods": methods,
        "code_options": code_options(methods),
        "error": str(error) if error else "",
    }
    return await pages.render(request, "identity/confirm.html", context, status_code=400 if error else 200)
