"""Sign-in through a directory."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_or_none
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.web.arriving.choices import WaysIn
from au_sys_identity.adapters.web.arriving.entering import LONGEST_FIELD, entered, second_step_page
from au_sys_identity.adapters.web.arriving.targets import safe_target
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.directories.errors import DirectoryUnreachable
from au_sys_identity.core.errors import BadCredentials, MfaRequired, NotFound, TryLater
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)


@router.get("/login/directory/{name}")
@access(public=True)
@within_volume
async def directory_page(
    request: Request,
    name: str,
    pages: Annotated[Pages, inject(Pages)],
    ways: Annotated[WaysIn, inject(WaysIn)],
    next: str | None = None,
) -> Response:
    """The form of one directory."""
    if caller_or_none(request) is not None:
        return RedirectResponse(safe_target(next), 303)
    return await _page(request, pages, ways, name, next, login="", error="", status=200)


@router.post("/login/directory/{name}")
@access(public=True)
async def directory_form(
    request: Request,
    name: str,
    cookies: Annotated[CookieNames, inject(CookieNames)],
    pages: Annotated[Pages, inject(Pages)],
    ways: Annotated[WaysIn, inject(WaysIn)],
    volume: Annotated[Volume, inject(Volume)],
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    """A session for the password that the directory takes."""
    client = client_of(request, cookies).with_device(new_secret())
    try:
        await volume.sign_in(client)
        opened = await ways.directories.with_password(name, login[:LONGEST_FIELD], password, client=client, kind="web")
    except MfaRequired as second:
        return await second_step_page(request, pages, second.mfa_token, second.methods, next)
    except (BadCredentials, TryLater) as error:
        status = 400 if isinstance(error, BadCredentials) else 502 if isinstance(error, DirectoryUnreachable) else 429
        response = await _page(request, pages, ways, name, next, login=login, error=str(error), status=status)
        if isinstance(error, TryLater):
            response.headers["retry-after"] = str(error.retry_after)
        return response
    return entered(cookies, opened, client, next)


async def _page(
    request: Request,
    pages: Pages,
    ways: WaysIn,
    name: str,
    target: str | None,
    *,
    login: str,
    error: str,
    status: int,
) -> Response:
    label = dict(await ways.directories.choices()).get(name)
    if label is None:
        raise NotFound("directory")
    context: dict[str, object] = {
        "name": name,
        "label": label,
        "next": safe_target(target, default=""),
        "login": login[:LONGEST_FIELD],
        "error": error,
    }
    response = await pages.render(request, "identity/directory_sign_in.html", context, status_code=status)
    response.headers["cache-control"] = "no-store"
    return response
