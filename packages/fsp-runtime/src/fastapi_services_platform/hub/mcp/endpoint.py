"""The one address of the protocol: ``POST /mcp``, for every signed-in caller and without any memory."""

from typing import Annotated, Any  # Any: JSON

from fastapi import APIRouter, Request
from starlette.responses import Response

from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.plugin_loader import runtime_version
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.exchange import exchange_of
from fastapi_services_platform.http.permissions import access, forwarding
from fastapi_services_platform.http.routing import RouteEntry
from fastapi_services_platform.hub.mcp import protocol
from fastapi_services_platform.hub.mcp.forwarding import called
from fastapi_services_platform.hub.mcp.protocol import HANDSHAKE, INVALID_PARAMS, LATEST, METHOD_NOT_FOUND, Asked, Wrong
from fastapi_services_platform.hub.mcp.tools import Tool, tools
from fastapi_services_platform.resilience.pools import blocking
from fastapi_services_platform.security.ports import Authorizer
from fastapi_services_platform.security.principal import Principal

router = APIRouter()

_JSON = "application/json"
_ERROR: dict[int | str, dict[str, Any]] = {  # Any: OpenAPI, as FastAPI takes it
    400: {"description": "No message of the protocol", "content": {_JSON: {"schema": {"type": "object"}}}},
    404: {"description": "No method of the protocol", "content": {_JSON: {"schema": {"type": "object"}}}},
    202: {"description": "A notification: there is nothing to say"},
}
_BODY = {"requestBody": {"required": True, "content": {_JSON: {"schema": {"type": "object"}}}}}


class Tools:
    """The tools of a platform; their schemas are made when somebody first asks, and again after routes were mounted."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[str, Tool] = {}
        self._of: tuple[RouteEntry, ...] | None = None

    @property
    def site(self) -> str:
        """The platform's name."""
        return self._platform.settings.name

    async def all(self, request: Request) -> dict[str, Tool]:
        """Every tool by name."""
        app, inventory = request.app, self._platform.inventory
        routes = inventory.routes
        if self._of is not routes:
            self._known = await blocking(lambda: tools(inventory, app.openapi()))
            self._of = routes
        return self._known

    async def of(self, request: Request, caller: Principal) -> dict[str, Tool]:
        """Those whose operation the caller may call."""
        found = await self.all(request)
        return {name: tool for name, tool in found.items() if await self._may(caller, tool)}

    async def _may(self, caller: Principal, tool: Tool) -> bool:
        permission = tool.entry.access.permission
        if permission is None:
            return True
        container = self._platform.container
        if Authorizer not in container:
            return False
        return (await (await container.get(Authorizer)).authorize(caller, permission)).allowed


@router.post(
    "/mcp",
    operation_id="mcp",
    summary="Model Context Protocol: tools for agents",
    openapi_extra=_BODY,
    responses=_ERROR,
)
@forwarding
@access(authenticated=True, reversibility="reversible")
async def mcp(request: Request, who: CurrentPrincipal, known: Annotated[Tools, inject(Tools)]) -> Response:
    """Lists the tools that the caller may use, and calls one: a request to its operation by the same caller."""
    message: Asked | None = None
    try:
        message = protocol.asked(await request.body(), request.headers)
        if message.id is None:
            return Response(status_code=202)
        return Response(protocol.result(message, await _answer(request, message, who, known)), media_type=_JSON)
    except Wrong as wrong:
        status, body = protocol.error(wrong, message.id if message is not None else None)
        return Response(body, status, media_type=_JSON)


async def _answer(request: Request, message: Asked, who: Principal, known: Tools) -> dict[str, Any]:  # Any: JSON
    match message.method:
        case "server/discover" if message.modern:
            return {"supportedVersions": [LATEST], **_offered(known), "ttlMs": 0, "cacheScope": "private"}
        case "initialize" if not message.modern:
            wanted = message.params.get("protocolVersion")
            return {"protocolVersion": wanted if wanted in HANDSHAKE else HANDSHAKE[0], **_offered(known)}
        case "ping" if not message.modern:
            return {}
        case "tools/list":
            listed = [tool.shown() for tool in (await known.of(request, who)).values()]
            return {"tools": listed, **({"ttlMs": 0, "cacheScope": "private"} if message.modern else {})}
        case "tools/call":
            return await _call(request, message, who, known)
    raise Wrong(METHOD_NOT_FOUND, f"there is no method {message.method[:80]!r}")


def _offered(known: Tools) -> dict[str, Any]:  # Any: JSON
    return {"capabilities": {"tools": {}}, "serverInfo": {"name": known.site, "version": runtime_version()}}


async def _call(request: Request, message: Asked, who: Principal, known: Tools) -> dict[str, Any]:  # Any: JSON
    name, arguments = message.params.get("name"), message.params.get("arguments") or {}
    tool = (await known.of(request, who)).get(name) if isinstance(name, str) else None
    if tool is None:
        raise Wrong(INVALID_PARAMS, f"there is no tool {str(name)[:80]!r} that you may use")
    if not isinstance(arguments, dict):
        raise Wrong(INVALID_PARAMS, "arguments is no object")
    return await called(exchange_of(request.scope).edge, request.scope, tool, arguments)
