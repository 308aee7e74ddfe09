"""Passkeys on pages: sign in with one, and those of an account. The script talks to the authenticator."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.web.arriving.choices import WaysIn
from au_sys_identity.adapters.web.arriving.entering import entered, sign_in_page
from au_sys_identity.adapters.web.own.security import SecurityPage, ask_again
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.magic_links import MagicLinks
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.errors import BadCredentials, IdentityError, StepUpRequired, WeakSession
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.sessions.passkey_sign_in import PasskeySignIn
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/account/security"


@router.post("/login/passkey")
@access(public=True)
async def passkey_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    sign_in: Annotated[PasskeySignIn, inject(PasskeySignIn)],
    registration: Annotated[Registration, inject(Registration)],
    magic: Annotated[MagicLinks, inject(MagicLinks)],
    ways: Annotated[WaysIn, inject(WaysIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
    answer: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """What the authenticator made of the options."""
    client = client_of(request, cookies).with_device(new_secret())
    await volume.sign_in(client)
    try:
        opened = await sign_in.sign_in(answer, client=client, kind="web")
    except BadCredentials:
        error = marked("This passkey does not fit here. Try again, or choose another way.")
        return await sign_in_page(request, pages, registration, magic, ways, next, error=error, status=400)
    return entered(cookies, opened, client, next)


@router.post("/account/security/passkeys")
@access(authenticated=True)
async def register_passkey(
    request: Request,
    page: Annotated[SecurityPage, inject(SecurityPage)],
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    pages: Annotated[Pages, inject(Pages)],
    answer: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
) -> Response:
    """Keep what the authenticator made."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        if caller.session_id is None:
            raise WeakSession
        await passkeys.register(await accounts.get(caller.id), caller.session_id, answer, name)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except BadCredentials:
        return await page.render(request, pages, error=marked("The passkey was not made. Try again."))
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    return RedirectResponse(f"{_HERE}?saved=passkey", 303)


@router.post("/account/security/passkeys/{passkey_id}/rename")
@access(authenticated=True)
async def rename_passkey(
    request: Request,
    passkey_id: UUID,
    page: Annotated[SecurityPage, inject(SecurityPage)],
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    steps: Annotated[StepUp, inject(StepUp)],
    pages: Annotated[Pages, inject(Pages)],
    name: Annotated[str, Form()] = "",
) -> Response:
    """Give it a name that I recognize."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        await passkeys.rename(caller.id, passkey_id, name)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    return RedirectResponse(f"{_HERE}?saved=passkey", 303)


@router.post("/account/security/passkeys/{passkey_id}/remove")
@access(authenticated=True)
async def remove_passkey(
    request: Request,
    passkey_id: UUID,
    page: Annotated[SecurityPage, inject(SecurityPage)],
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    pages: Annotated[Pages, inject(Pages)],
) -> Response:
    """It is worth nothing from now on."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        await passkeys.remove(await accounts.get(caller.id), passkey_id)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    return RedirectResponse(f"{_HERE}?saved=passkey", 303)
