"""/health/live, /health/ready, /health and /discovery."""

from collections.abc import Awaitable, Callable

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform.http.permissions import access

Report = Callable[[], Awaitable[tuple[dict[str, object], bool]]]
"""How every part is, and whether requests should be sent here."""

Discovery = Callable[[bool], dict[str, object]]
"""What is here; the argument says whether the caller is signed in."""


def json_bytes(content: object, status: int = 200) -> Response:
    """A JSON answer that nobody may keep."""
    return Response(orjson.dumps(content, default=str), status, {"cache-control": "no-store"}, "application/json")


def probe_router(report: Report, discovered: Discovery) -> APIRouter:
    """The platform's own public routes."""
    router = APIRouter(tags=["platform"])

    @router.get("/health/live", summary="Whether the process answers")
    @access(public=True)
    async def live() -> Response:
        return json_bytes({"status": "healthy"})

    @router.get("/health/ready", summary="Whether requests should be sent here")
    @access(public=True)
    async def ready() -> Response:
        _, is_ready = await report()
        return json_bytes({"status": "healthy" if is_ready else "unhealthy"}, 200 if is_ready else 503)

    @router.get("/health", summary="How every part is")
    @access(public=True)
    async def health() -> Response:
        found, is_ready = await report()
        return json_bytes(found, 200 if is_ready else 503)

    @router.get("/discovery", summary="What is here, as far as the caller may see it")
    @access(public=True)
    async def discovery(request: Request) -> Response:
        return json_bytes(discovered(request.state.principal is not None))

    return router
