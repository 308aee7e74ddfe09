"""Pages behind the links in mails.

The token is in the fragment and sent by POST after a click: a scanner's GET uses nothing.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.core.accounts.mail_links import MailLinks
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.errors import IdentityError, WeakPassword
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_LONGEST_TOKEN = 200


@router.get("/forgot-password")
@access(public=True)
@within_volume
async def forgot_page(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """Ask for a mail."""
    return await _page(request, pages, "forgot")


@router.post("/forgot-password")
@access(public=True)
async def forgot_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    links: Annotated[MailLinks, inject(MailLinks)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
    email: Annotated[str, Form()] = "",
) -> Response:
    """The same answer for every address."""
    await volume.mail(client_of(request, cookies), email)
    await links.ask("reset", email)
    return await _page(request, pages, "forgot", done=True)


@router.get("/reset-password")
@access(public=True)
@within_volume
async def reset_page(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """Choose a new password."""
    return await _page(request, pages, "reset")


@router.post("/reset-password")
@access(public=True)
@within_volume
async def reset_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    links: Annotated[MailLinks, inject(MailLinks)],
    token: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Set it; a weak one is explained and the link stays good."""
    network = network_of(request.client.host if request.client else None)
    try:
        await links.reset(token[:_LONGEST_TOKEN], password, network=network)
    except IdentityError as error:
        return await _page(request, pages, "reset", error=error, token=token)
    return await _page(request, pages, "reset", done=True)


@router.get("/verify")
@access(public=True)
@within_volume
async def verify_page(request: Request, pages: Annotated[Pages, inject(Pages)]) -> Response:
    """Confirm an address."""
    return await _page(request, pages, "verify")


@router.post("/verify")
@access(public=True)
@within_volume
async def verify_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    links: Annotated[MailLinks, inject(MailLinks)],
    token: Annotated[str, Form()] = "",
) -> Response:
    """The account may act from now on."""
    try:
        await links.verify(token[:_LONGEST_TOKEN])
    except IdentityError as error:
        return await _page(request, pages, "verify", error=error)
    return await _page(request, pages, "verify", done=True)


async def _page(
    request: Request,
    pages: Pages,
    name: str,
    *,
    done: bool = False,
    error: IdentityError | None = None,
    token: str = "",
) -> Response:
    context: dict[str, object] = {
        "done": done,
        "error": str(error) if error else "",
        "weak": isinstance(error, WeakPassword),
        "token": token[:_LONGEST_TOKEN] if isinstance(error, WeakPassword) else "",
    }
    status = 400 if error else 200
    response = await pages.render(request, f"identity/{name}.html", context, status_code=status)
    response.headers["cache-control"] = "no-store"
    return response
