"""The library served in this process: believed callers, real database, real blobs, a worker that is only a record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from httpx import AsyncClient

from au_sys_storage_sdk import Blobs, open_blobs
from fastapi_services_platform import Capability, Contribution, Manifest, Service
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for, started_app
from skriptoteket.core.identifiers import WorkerId
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.manifest.plugin import Skriptoteket

WORKER = Worker(WorkerId("w"), "h", "b", 1, 0.0, "1", "test", DEFAULT_REQUIREMENTS, ("standard@1",), 4096, 0, False, datetime.now(UTC), datetime.now(UTC) + timedelta(days=1))  # fmt: skip  # noqa: E501

Served = AsyncIterator[AsyncClient]


@asynccontextmanager
async def served(folder: Path, denied: frozenset[str]) -> Served:
    """A client of the whole library, signed in as Anna."""
    blobs = open_blobs(f"file://{folder}/blobs")
    storage = Prepared(Manifest("storage", "1.0", "blobs"), Contribution(services=(Service(Blobs, lambda _: blobs),)))
    parts: list[Capability] = [believing_identity(denied), storage, Skriptoteket()]
    async with started_app(settings=settings_for(folder), capabilities=parts) as found:
        found.headers["authorization"] = "Bearer anna"
        yield found
    await blobs.close()
