"""What leads into my account beside a password: API keys of my own, and logins elsewhere."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.session_cookies import keep_departure
from au_sys_identity.adapters.web.own.security import SecurityPage, ask_again
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.directories.linking import Linking
from au_sys_identity.core.directories.outside_sign_in import OutsideSignIn
from au_sys_identity.core.errors import HumanOnly, IdentityError, InvalidInput, NotFound, StepUpRequired, WeakSession
from au_sys_identity.core.tokens.keys import ApiKeys
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/account/security"
_LONGEST_LIFE = 3660
Shown = Annotated[Pages, inject(Pages)]
Page = Annotated[SecurityPage, inject(SecurityPage)]
Steps = Annotated[StepUp, inject(StepUp)]
Keys = Annotated[ApiKeys, inject(ApiKeys)]


@router.post(f"{_HERE}/keys")
@access(authenticated=True)
async def make_key(
    request: Request,
    pages: Shown,
    page: Page,
    steps: Steps,
    keys: Keys,
    accounts: Annotated[Accounts, inject(Accounts)],
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    days: Annotated[str, Form()] = "",
) -> Response:
    """Make a key; its secret is on the answer and nowhere else."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        owner = await accounts.get(caller.id)
        made = await keys.create(owner, name, frozenset(scopes or ()), expires_in=_life(days))
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    return await page.render(request, pages, key=(made.key.name, made.secret))


@router.post(f"{_HERE}/keys/{{key_id}}/revoke")
@access(authenticated=True)
async def revoke_key(request: Request, key_id: UUID, keys: Keys) -> Response:
    """It is dead at once and for good."""
    caller = caller_of(request)
    with suppress(NotFound):  # it may be gone, which is what was wanted
        await keys.revoke(key_id, by=caller.urn, owner_id=caller.id)
    return RedirectResponse(f"{_HERE}?saved=key", 303)


@router.post(f"{_HERE}/logins/{{provider}}/link")
@access(authenticated=True)
async def link_login(
    request: Request,
    provider: str,
    pages: Shown,
    page: Page,
    steps: Steps,
    ways: Annotated[OutsideSignIn, inject(OutsideSignIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
) -> Response:
    """Show the way to the provider; what this browser brings back is linked to the account that is signed in now."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        departure = await ways.depart(provider, target=_HERE, linking=caller)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    response = await page.render(request, pages, departure=(provider, departure.address))
    keep_departure(response, cookies, departure.flow)
    return response


@router.post(f"{_HERE}/logins/{{link_id}}/unlink")
@access(authenticated=True)
async def unlink_login(
    request: Request,
    link_id: str,
    pages: Shown,
    page: Page,
    steps: Steps,
    links: Annotated[Linking, inject(Linking)],
) -> Response:
    """The last way in stays."""
    caller = caller_of(request)
    try:
        await steps.require(caller, own_security=True)
        if caller.account is None:
            raise HumanOnly
        await links.unlink(caller.account, link_id)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except IdentityError as error:
        return await page.render(request, pages, error=str(error))
    return RedirectResponse(f"{_HERE}?saved=login", 303)


def _life(days: str) -> timedelta | None:
    if not days.strip():
        return None
    if not days.strip().isdigit() or not 0 < int(days[:9]) <= _LONGEST_LIFE:
        raise InvalidInput("days", "must be a number of days", f"At most {_LONGEST_LIFE}.")
    return timedelta(days=int(days))
