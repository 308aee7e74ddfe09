"""Whether the caller takes the kind of answer that a route gives."""

from starlette.requests import Request

from skriptoteket.core.errors import NotAcceptable

_JSON = "application/json"
_OFFERED = {
    "skriptoteket_api_events": "text/event-stream",
    "skriptoteket_api_archive": "application/zip",
    "skriptoteket_api_artifact": "",
}
"""What routes give that give no JSON; a file may be of any kind."""


async def ensure_accepted(request: Request) -> None:
    """Nothing, if the route's kind of answer is among those that the request accepts.

    Raises:
        NotAcceptable: it is not.
    """
    accept = request.headers.get("accept", "")
    offered = _OFFERED.get(request.scope["route"].name, _JSON)
    if accept and offered and not _takes(accept, offered):
        raise NotAcceptable(offered)


def _takes(accept: str, offered: str) -> bool:
    kinds = {"*/*", f"{offered.partition('/')[0]}/*", offered}
    for part in accept.lower().split(","):
        kind, *parameters = (text.strip() for text in part.split(";"))
        refused = any(text.replace(" ", "").rstrip("0").rstrip(".") in ("q=", "q=0") for text in parameters)
        if kind in kinds and not refused:
            return True
    return False
