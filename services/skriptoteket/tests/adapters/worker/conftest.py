"""A library on a real database with real blobs, and a way to put runs into its queue."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fastapi_services_platform import Database
from skriptoteket.adapters.db.tables import whole_metadata
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.runs.models import Lane, Limits, Run, RunContext, RunKind, RunState
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState


@dataclass(frozen=True)
class Library:
    """A database in a folder, and the verbs that tests of the worker need."""

    folder: Path
    database: Database
    uow: SqlUnitOfWork

    async def submit(self, source: str, *, idempotent: bool = False, **parts: Any) -> RunId:  # Any: fields of a run
        """A tool with this source, and one queued run of it."""
        now = datetime.now(UTC)
        tool_id, version_id, run_id = ToolId(uuid.uuid4()), VersionId(uuid.uuid4()), RunId(uuid.uuid4())
        behaviour = Behaviour(source_code=source, idempotent=idempotent, input_schema=())
        hashes = (content_hash(behaviour), behaviour_hash(behaviour))
        tool = Tool(tool_id, f"tool-{tool_id.hex}", "Tool", "", "urn:x:owner", now, now, is_visible=True)
        version = ToolVersion(version_id, tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:x:owner", now)
        what = (RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.QUEUED)
        run = replace(Run(run_id, *what, tool_id, version_id, None, hashes[1], "urn:x:user", now, "standard@1", Limits(wall_seconds=20), idempotent=idempotent), **parts)  # fmt: skip  # noqa: E501
        async with self.uow.write() as unit:
            await unit.tools.add(tool)
            await unit.versions.add(version)
            await unit.tools.update(replace(tool, active_version_id=version_id))
            await unit.runs.add(run)
        return run_id

    async def run(self, run_id: RunId) -> Run:
        """The run as it stands now."""
        async with self.uow.read() as unit:
            return await unit.runs.get(run_id)


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    """An empty library."""
    database = Database("skriptoteket", f"sqlite+aiosqlite:///{tmp_path}/library.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(whole_metadata().create_all)
    yield Library(tmp_path, database, SqlUnitOfWork(database))
    await database.close()
