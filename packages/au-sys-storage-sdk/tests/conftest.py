"""A started platform with storage on real files and a door that believes every name."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from au_sys_storage_sdk.manifest.plugin import Storage
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A signed-in caller's client."""
    settings = settings_for(tmp_path / "data")
    async with started_app(settings=settings, capabilities=[Storage(), believing_identity()]) as opened:
        opened.headers["Authorization"] = "Bearer ada"
        yield opened
