"""What every way in on a page has in common: the page itself, the second step, and the cookies of who got in."""

import json

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.adapters.api.door.session_cookies import keep_device, keep_session
from au_sys_identity.adapters.web.arriving.choices import WaysIn
from au_sys_identity.adapters.web.arriving.targets import safe_target
from au_sys_identity.core.accounts.magic_links import MagicLinks
from au_sys_identity.core.accounts.registration import Registration
from au_sys_identity.core.sessions.models import Client
from au_sys_identity.core.sessions.opening import Opened
from fastapi_services_platform.fastapi import Pages

LONGEST_FIELD = 1024
_CODES = {"totp": "Authenticator app", "recovery_code": "Recovery code"}


def entered(cookies: CookieNames, opened: Opened, client: Client, target: str) -> Response:
    """Give the browser its session and send it where it wanted to go."""
    response = RedirectResponse("/account/password" if opened.restricted else safe_target(target), 303)
    response.headers["cache-control"] = "no-store"
    keep_session(response, cookies, opened)
    if client.device_token:
        keep_device(response, cookies, client.device_token)
    return response


def code_options(methods: tuple[str, ...]) -> list[tuple[str, str]]:
    """The methods that are typed, for a select."""
    return [(method, _CODES[method]) for method in methods if method in _CODES]


async def second_step_page(
    request: Request, pages: Pages, mfa_token: str, methods: tuple[str, ...], target: str, *, error: str = ""
) -> Response:
    """Ask for the second step."""
    context: dict[str, object] = {
        "mfa_token": mfa_token,
        "methods": methods,
        "code_options": code_options(methods),
        "passkey_body": json.dumps({"purpose": "second-step", "mfa_token": mfa_token}),
        "next": safe_target(target, ""),
        "error": error,
    }
    status = 400 if error else 200
    response = await pages.render(request, "identity/second_step.html", context, status_code=status)
    response.headers["cache-control"] = "no-store"
    return response


async def sign_in_page(
    request: Request,
    pages: Pages,
    registration: Registration,
    magic: MagicLinks,
    ways: WaysIn,
    target: str | None,
    *,
    email: str = "",
    error: str = "",
    status: int = 200,
) -> Response:
    """The page with every way in."""
    context: dict[str, object] = {
        "next": safe_target(target, default=""),
        "email": email[:LONGEST_FIELD],
        "error": error,
        "magic_link": magic.enabled,
        **await ways.shown(),
        "registration_open": registration.policy.mode == "open",
    }
    response = await pages.render(request, "identity/sign_in.html", context, status_code=status)
    response.headers["cache-control"] = "no-store"
    return response
