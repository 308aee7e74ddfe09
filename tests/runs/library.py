"""A library to prove things on: runs to put into its queue, a worker to run in a forked process, and what it leaves."""

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from au_sys_storage_sdk import open_blobs
from fastapi_services_platform import Database
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.tables import whole_metadata
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.adapters.sandbox.bubblewrap import BubblewrapSandbox
from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.sandbox.zygote import ZygoteSandbox
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId, VersionId
from skriptoteket.core.runs.models import Lane, Limits, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.retention import KeepingTimes, Retention
from skriptoteket.core.runs.sandbox import Sandbox
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

UIDS = range(62_000, 62_200)
"""Users that only these proofs run scripts as, so that what is left of them is found."""

SCRIPT = """
import os, time
def run_tool(input_dir, output_dir):
    if os.fork() == 0:
        time.sleep(600)
    with open(output_dir + "/a.txt", "w") as stream:
        stream.write("x" * 1000)
    time.sleep(0.05)
    return "<p>done</p>"
"""
LIMITS = Limits(wall_seconds=20, memory_mib=64, workspace_mib=8, tmp_mib=4, shm_mib=4)
_MODULES = ("json", "tempfile", "random")
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Shifted:
    """A clock that is ahead."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        """The time, and what it is ahead."""
        return datetime.now(UTC) + self.by


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a folder for blobs and for each worker's state."""

    folder: Path
    database_url: str

    @property
    def blobs_url(self) -> str:
        """Where blobs lie."""
        return f"file://{self.folder}/blobs"

    def state_dir(self, host: str) -> Path:
        """A host's own folder."""
        return self.folder / host


def in_process(work: Callable[[], Awaitable[None]]) -> int:
    """Run this in a forked process that ends with it; the answer is its pid. The caller must have one thread."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        asyncio.run(_awaited(work))
        code = 0
    finally:
        os._exit(code)


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def create(place: Place) -> None:
    """Make the tables and one tool."""
    database = Database("skriptoteket", place.database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(whole_metadata().create_all)
    await database.close()


async def submit(place: Place, runs: int, *, owners: int = 1, source: str = SCRIPT) -> None:
    """Queue runs of a new tool; every second one may be repeated."""
    database = Database("skriptoteket", place.database_url)
    ids, now = TimeOrderedIds(), datetime.now(UTC)
    async with SqlUnitOfWork(database).write() as unit:
        for idempotent in (False, True):
            tool_id, version_id = ToolId(uuid.uuid4()), VersionId(uuid.uuid4())
            behaviour = Behaviour(source_code=source, idempotent=idempotent, input_schema=())
            hashes = (content_hash(behaviour), behaviour_hash(behaviour))
            tool = Tool(tool_id, f"tool-{tool_id.hex}", "Tool", "", "urn:x:owner", now, now, is_visible=True)
            await unit.tools.add(tool)
            await unit.versions.add(
                ToolVersion(version_id, tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:x:owner", now)
            )
            await unit.tools.update(replace(tool, active_version_id=version_id))
            for number in range(runs // 2):
                run_id = RunId(ids.new())
                run = Run(
                    id=run_id,
                    kind=RunKind.PRODUCTION,
                    context=RunContext.PRODUCTION,
                    lane=Lane.INTERACTIVE,
                    state=RunState.QUEUED,
                    tool_id=tool_id,
                    version_id=version_id,
                    snapshot_id=None,
                    behaviour_hash=hashes[1],
                    requested_by=f"urn:x:user-{number % owners}",
                    requested_at=now,
                    environment="standard@1",
                    limits=LIMITS,
                    idempotent=idempotent,
                )
                await unit.runs.add(run)
    await database.close()


def sandbox_of(kind: str, state_dir: Path) -> Sandbox:
    """A runner with users of its own."""
    if kind == "bubblewrap":
        return BubblewrapSandbox(state_dir, slot_uids=UIDS)
    return ZygoteSandbox(state_dir, modules=_MODULES, warm_slots=1, slot_uids=UIDS)


async def work(place: Place, host: str, kind: str, *, once: bool = False, lease_seconds: float = 15) -> None:
    """A worker of this library, as the product has it."""
    state_dir = place.state_dir(host)
    database = Database("skriptoteket", place.database_url)
    sandbox = sandbox_of(kind, state_dir)
    async with open_blobs(place.blobs_url) as blobs:
        parts = WorkerParts(
            SqlUnitOfWork(database),
            BlobArtifactStore(blobs),
            sandbox,
            HostReport((), await sandbox.capabilities()),
            Shifted(),
        )
        settings = WorkerSettings(
            state_dir,
            lease_seconds=lease_seconds,
            heartbeat_seconds=1,
            poll_seconds=0.05,
            drain_seconds=5,
            memory_budget_mib=1024,
            max_active_per_user=4,
            prepared_limits=LIMITS,
        )
        await run_worker(settings, parts, once=once)
    await database.close()


async def sweep(place: Place) -> None:
    """Remove blobs that no row speaks of, as the hourly purge does two hours later."""
    database = Database("skriptoteket", place.database_url)
    times = KeepingTimes(_KEPT, _KEPT, _KEPT, _KEPT, _KEPT, _KEPT)
    async with open_blobs(place.blobs_url) as blobs:
        retention = Retention(SqlUnitOfWork(database), BlobArtifactStore(blobs), Shifted(timedelta(hours=2)), times)
        await retention.purge()
    await database.close()


async def blob_keys(place: Place) -> set[str]:
    """Every blob of runs."""
    async with open_blobs(place.blobs_url) as blobs:
        return {key async for key in BlobArtifactStore(blobs).keys("runs/")}
