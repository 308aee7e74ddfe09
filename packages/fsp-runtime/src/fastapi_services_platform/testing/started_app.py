"""An app running in this process, plus its client."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from fastapi_services_platform.capability.manifest import Capability
from fastapi_services_platform.config.settings import PlatformSettings
from fastapi_services_platform.engine.app_factory import create_app

if TYPE_CHECKING:
    from httpx import AsyncClient


def settings_for(folder: Path, **changes: Any) -> PlatformSettings:  # Any: fields of PlatformSettings
    """Settings of a platform whose data lives below ``folder``."""
    values = {"environment": "test", "data_dir": folder, "public_url": "http://platform.test", **changes}
    return PlatformSettings(**values)


@asynccontextmanager
async def started_app(
    app: FastAPI | None = None,
    *,
    settings: PlatformSettings | None = None,
    capabilities: Sequence[Capability] | None = None,
    base_url: str = "http://platform.test",
    client_host: str = "127.0.0.1",
    raise_app_exceptions: bool = False,
) -> "AsyncIterator[AsyncClient]":
    """Run an app with its lifespan and give a client that talks to it in this process.

    Give a finished ``app``, or ``settings`` and ``capabilities`` from which ``create_app`` makes one.
    """
    from httpx import ASGITransport, AsyncClient

    used = app if app is not None else create_app(settings, capabilities=capabilities)
    transport = ASGITransport(used, raise_app_exceptions=raise_app_exceptions, client=(client_host, 50_000))
    async with used.router.lifespan_context(used), AsyncClient(transport=transport, base_url=base_url) as client:
        yield client
