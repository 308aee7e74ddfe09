"""/health/live, /health/ready, /health and /discovery.

The endpoints find their app through the request: FastAPI remembers endpoints for as long as the process lives, and what
an endpoint closes over with them.
"""

from typing import Protocol

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.security.principal import Principal

router = APIRouter(tags=["platform"])


class Probing(Protocol):
    """What an app offers as ``app.probe``."""

    async def report(self) -> tuple[dict[str, object], bool]:
        """How every part is, and whether requests should be sent here."""

    async def discovered(self, caller: Principal | None) -> dict[str, object]:
        """What is here, as far as the caller may see it."""


def json_bytes(content: object, status: int = 200) -> Response:
    """A JSON answer that nobody may keep."""
    return Response(orjson.dumps(content, default=str), status, {"cache-control": "no-store"}, "application/json")


@router.get("/health/live", summary="Whether the process answers")
@access(public=True)
async def live() -> Response:
    """Alive is who answers."""
    return json_bytes({"status": "healthy"})


@router.get("/health/ready", summary="Whether requests should be sent here")
@access(public=True)
async def ready(request: Request) -> Response:
    """Not while the platform starts or drains, or lacks something that it needs."""
    _, is_ready = await _probe(request).report()
    return json_bytes({"status": "healthy" if is_ready else "unhealthy"}, 200 if is_ready else 503)


@router.get("/health", summary="How every part is")
@access(public=True)
async def health(request: Request) -> Response:
    """Capabilities, databases, upstreams, jobs and disk."""
    found, is_ready = await _probe(request).report()
    return json_bytes(found, 200 if is_ready else 503)


@router.get("/discovery", summary="What is here, as far as the caller may see it")
@access(public=True)
async def discovery(request: Request) -> Response:
    """Capabilities and public routes; to a caller also the routes and permissions that are theirs, to an operator why
    each capability is there.
    """
    return json_bytes(await _probe(request).discovered(request.state.principal))


def _probe(request: Request) -> Probing:
    found: Probing = request.app.probe
    return found
