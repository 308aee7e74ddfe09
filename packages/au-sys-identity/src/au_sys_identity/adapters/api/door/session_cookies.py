"""The cookies of a browser: its session, and what it is known by when it comes back."""

from starlette.requests import Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.sessions.opening import Opened

_DEVICE_SECONDS = 365 * 86_400
_FLOW_SECONDS = 900
_DEPARTURE_SECONDS = 600


def keep_session(response: Response, cookies: CookieNames, opened: Opened) -> None:
    """Give the browser its new session."""
    life = int((opened.session.expires_at - opened.session.created_at).total_seconds())
    response.set_cookie(
        cookies.session, opened.secret, max_age=life, secure=cookies.secure, httponly=True, samesite="lax"
    )


def drop_session(response: Response, cookies: CookieNames) -> None:
    """Take the session from the browser."""
    response.delete_cookie(cookies.session, secure=cookies.secure, httponly=True, samesite="lax")


def keep_device(response: Response, cookies: CookieNames, token: str) -> None:
    """Let the browser be known when it comes back."""
    response.set_cookie(
        cookies.device, token, max_age=_DEVICE_SECONDS, secure=cookies.secure, httponly=True, samesite="lax"
    )


def keep_refresh(response: Response, cookies: CookieNames, opened: Opened) -> None:
    """Give a program inside a browser its refresh token, where no script can read it."""
    life = int((opened.session.expires_at - opened.session.last_seen_at).total_seconds())
    response.set_cookie(
        cookies.refresh, opened.secret, max_age=max(life, 1), secure=cookies.secure, httponly=True, samesite="strict"
    )


def drop_refresh(response: Response, cookies: CookieNames) -> None:
    """Take the refresh token from the browser."""
    response.delete_cookie(cookies.refresh, secure=cookies.secure, httponly=True, samesite="strict")


def flow_of(request: Request, response: Response, cookies: CookieNames) -> str:
    """The flow of this browser, begun if there is none; all its tabs share one."""
    flow = request.cookies.get(cookies.flow) or new_secret()
    response.set_cookie(cookies.flow, flow, max_age=_FLOW_SECONDS, secure=cookies.secure, httponly=True, samesite="lax")
    return flow


def keep_departure(response: Response, cookies: CookieNames, flow: str) -> None:
    """Let the browser carry its trip to an outside provider; it comes back by a link from elsewhere."""
    response.set_cookie(
        cookies.departure, flow, max_age=_DEPARTURE_SECONDS, secure=cookies.secure, httponly=True, samesite="lax"
    )


def drop_departure(response: Response, cookies: CookieNames) -> None:
    """The trip is over."""
    response.delete_cookie(cookies.departure, secure=cookies.secure, httponly=True, samesite="lax")
