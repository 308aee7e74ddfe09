"""What a request tells about the program behind it."""

from starlette.requests import Request

from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.sessions.models import Client

_SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("Mac OS", "Mac"), ("Linux", "Linux"))
_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))


def client_of(
    request: Request, cookies: CookieNames, *, instance: str | None = None, label: str | None = None
) -> Client:
    """The client of a request; the address is the one that the platform believes, forwarded or not."""
    address = request.client.host if request.client else None
    agent = request.headers.get("user-agent", "")[:300]
    return Client(
        address=address,
        network=network_of(address),
        user_agent=agent,
        label=label or device_label(agent),
        instance=instance,
        device_token=request.cookies.get(cookies.device) or None,
        flow=request.cookies.get(cookies.flow) or None,
    )


def device_label(agent: str) -> str:
    """A short name such as "Firefox, Linux" for a list that people read."""
    browser = next(
        (name for mark, name in _BROWSERS if mark in agent), agent.partition("/")[0][:40] or "unknown program"
    )
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return f"{browser}, {system}" if system else browser
