"""An app that has ended leaves nothing behind in its process."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi_services_platform import create_app
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for


async def test_an_app_that_ended_is_freed(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """FastAPI remembers endpoints for ever: none of ours may hold the app."""

    async def visited() -> "weakref.ref[object]":
        app = create_app(settings_for(tmp_path), capabilities=[sample("one")])
        async with started_app(app) as client:
            for path in ("/health", "/health/ready", "/discovery", "/openapi.json", "/"):
                await client.get(path)
        return weakref.ref(app)

    ended = await visited()
    for _ in range(100):  # the log's thread and the loop let go a moment later
        gc.collect()
        if ended() is None:
            break
        await asyncio.sleep(0.05)
    assert ended() is None
