"""Figures of the last minutes as they come: server-sent events for the charts of the health page."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from fastapi_services_platform.fastapi import inject
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.monitoring.together import Together
from fastapi_services_platform.observability.vitals import Sample, Vitals

router = APIRouter()

STREAM = "/platform/health/stream"

_LONGEST_SECONDS = 300.0
_PATIENCE_SECONDS = 5.0


@router.get("/health/stream", name="platform.health_stream", include_in_schema=False)
@access(permission="platform.health.read")
async def stream(
    request: Request,
    vitals: Annotated[Vitals, inject(Vitals)],
    together: Annotated[Together, inject(Together)],
) -> Response:
    """One event for each sample, of all processes. The stream ends by itself now and then; browsers come back."""
    probe = getattr(request.app, "probe", None)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_events(vitals, together, probe), headers=headers, media_type="text/event-stream")


async def _events(vitals: Vitals, together: Together, probe: object) -> AsyncIterator[bytes]:
    """Ends when the platform drains, so that no open page delays its end."""
    yield b"retry: 3000\n\n"
    ends = asyncio.get_running_loop().time() + _LONGEST_SECONDS
    while asyncio.get_running_loop().time() < ends and not getattr(probe, "draining", False):
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), vitals.sampled:
                await vitals.sampled.wait()
        except TimeoutError:
            yield b": still here\n\n"
            continue
        for sample in await together.samples(1):
            yield event_of(sample)


def event_of(sample: Sample) -> bytes:
    """A sample as a server-sent event."""
    return b"data: " + orjson.dumps(asdict(sample)) + b"\n\n"
