"""A worker process for tests: ``worker_program.py FOLDER [--once] [--cold]`` works on the library in that folder."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from au_sys_storage_sdk import open_blobs
from fastapi_services_platform import Database
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.sandbox.probe import RunnerChoice, choose_sandbox
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def main(folder: Path, once: bool) -> None:
    """Work until told to stop."""
    database = Database("skriptoteket", f"sqlite+aiosqlite:///{folder}/library.db")
    state_dir = folder / "state"
    async with open_blobs(f"file://{folder}/blobs") as blobs:
        sandbox, report = await choose_sandbox(
            state_dir, RunnerChoice("bubblewrap" if "--cold" in sys.argv else "auto")
        )
        parts = WorkerParts(
            SqlUnitOfWork(database), BlobArtifactStore(blobs), sandbox if report.usable else None, report, _Clock()
        )
        settings = WorkerSettings(
            state_dir, lease_seconds=15, heartbeat_seconds=1, poll_seconds=0.2, drain_seconds=1, memory_budget_mib=2048
        )
        await run_worker(settings, parts, once=once)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), "--once" in sys.argv))
