"""What the link of an invitation leads to, and inviting from the list of people."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of, caller_or_none
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.core.accounts.registration import NewPerson
from au_sys_identity.core.errors import BadToken, IdentityError, InvalidInput, WeakPassword
from au_sys_identity.core.invitations.accepting import Accepting
from au_sys_identity.core.invitations.inviting import Inviting
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/invitation"
_LONGEST_TOKEN = 200
_DEFAULT = "default"
Accepts = Annotated[Accepting, inject(Accepting)]


@router.get(_HERE)
@access(public=True)
@within_volume
async def invitation_page(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """The token is in the fragment: nothing happens before a click."""
    return await _page(request, pages, step="open")


@router.post(_HERE)
@access(public=True)
@within_volume
async def invitation_form(
    request: Request, pages: Annotated[Pages, inject(Pages)], accepting: Accepts, token: Annotated[str, Form()] = ""
) -> Response:
    """Whom it is for, and what is left to do: choose a password, sign in, or just accept."""
    token, caller = token[:_LONGEST_TOKEN], caller_or_none(request)
    try:
        email, known = await accepting.invited(token)
        if caller is not None and known:
            await accepting.accept(token, caller.id)
            return await _page(request, pages, step="done")
    except BadToken as error:
        return await _page(request, pages, step="open", error=error)
    return await _page(request, pages, step="sign-in" if known else "register", token=token, email=email)


@router.post(f"{_HERE}/register")
@access(public=True)
@within_volume
async def register_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    accepting: Accepts,
    cookies: Annotated[CookieNames, inject(CookieNames)],
    token: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Make the account; a weak password is explained and the link stays good."""
    token, email = token[:_LONGEST_TOKEN], ""
    try:
        email, _known = await accepting.invited(token)
        wanted = NewPerson(email, display_name or None)
        await accepting.register(wanted, password, token, network=client_of(request, cookies).network)
    except (WeakPassword, InvalidInput) as error:
        return await _page(request, pages, step="register", token=token, email=email, name=display_name, error=error)
    except IdentityError as error:
        return await _page(request, pages, step="open", error=error)
    return await _page(request, pages, step="made")


@router.post("/admin/identity/users/invite")
@access(permission="identity.users.create")
async def invite_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    inviting: Annotated[Inviting, inject(Inviting)],
    volume: Annotated[Volume, inject(Volume)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    email: Annotated[str, Form()] = "",
) -> Response:
    """Send a letter; the list says that it is on its way, whoever the address belongs to."""
    try:
        await volume.mail(client_of(request, cookies), email[:320])
        await inviting.invite(_DEFAULT, email, role=None, by=caller_of(request).urn)
    except IdentityError as error:
        return await _page(request, pages, step="refused", error=error)
    return RedirectResponse("/admin/identity/users?invited=yes", 303)


async def _page(
    request: Request,
    pages: Pages,
    *,
    step: str,
    token: str = "",
    email: str = "",
    name: str = "",
    error: IdentityError | None = None,
) -> Response:
    context: dict[str, object] = {
        "step": step,
        "token": token,
        "email": email,
        "name": name[:200],
        "error": str(error) if error else "",
        "error_field": "password" if isinstance(error, WeakPassword) else getattr(error, "field", ""),
    }
    response = await pages.render(request, "identity/invitation.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response
