"""Four workers on one PostgreSQL share a queue, and NOTIFY wakes them: `just proof-queue`.

Each worker is a process with a state directory, and so a host id, of its own. Nothing is executed: scripts are played,
so that the queue alone is proved. Every run must be started once and finished once, by whichever worker.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from tests.runs import library

from au_sys_storage_sdk import open_blobs
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import postgres_server
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.notifying import NotifyingDoorbell, notified
from skriptoteket.adapters.db.tables import runs
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.doorbell import UnixDoorbell
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.core.runs.sandbox import RunSpec, SandboxHandle

_WORKERS = ("north-1", "north-2", "south-1", "south-2")
_SOURCE = json.dumps({"result": {"contract": 1, "status": "ok"}})
_END_SECONDS = 600.0
_POLL_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_PICKUP_MS = 50.0


class _Counting(MemorySandbox):
    """Plays scripts, and writes down which it was given."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    async def capabilities(self) -> Mapping[str, str]:
        return DEFAULT_REQUIREMENTS

    async def start(self, spec: RunSpec) -> SandboxHandle:
        with self._file.open("a", encoding="ascii") as stream:
            stream.write(f"{spec.run_id}\n")
        return await super().start(spec)


async def _work(place: library.Place, name: str) -> None:
    database = Database("skriptoteket", place.database_url)
    async with open_blobs(place.blobs_url) as blobs:
        parts = WorkerParts(
            SqlUnitOfWork(database),
            BlobArtifactStore(blobs),
            _Counting(place.folder / f"{name}.started"),
            HostReport((), DEFAULT_REQUIREMENTS),
            library.Shifted(),
            listening=partial(notified, database),
        )
        settings = WorkerSettings(
            place.state_dir(name), poll_seconds=_POLL_SECONDS, memory_budget_mib=4096, cpu_slots=4, drain_seconds=5
        )
        await run_worker(settings, parts)
    await database.close()


async def _until_ended(database: Database, wanted: int) -> None:
    until = time.monotonic() + _END_SECONDS
    ended = select(func.count()).select_from(runs).where(runs.c.finished_at.is_not(None))
    while time.monotonic() < until:
        async with database.session() as session:
            if (await session.execute(ended)).scalar_one() >= wanted:
                return
        await asyncio.sleep(_PAUSE_SECONDS)


async def _pickups(place: library.Place, number: int) -> list[float]:
    """Milliseconds from a submission to its claim, one at a time, while every worker sleeps."""
    database, waited = Database("skriptoteket", place.database_url), []
    bell = NotifyingDoorbell(database, UnixDoorbell(place.folder))
    for _ in range(number):
        await library.submit(place, 2, source=_SOURCE)
        rung = datetime.now(UTC)
        await bell.ring(RunId(uuid.uuid4()))
        query = select(runs.c.claimed_at).order_by(runs.c.id.desc()).limit(2)
        until = time.monotonic() + _END_SECONDS
        claimed: Sequence[datetime | None] = ()
        while time.monotonic() < until:
            async with database.session() as session:
                claimed = (await session.execute(query)).scalars().all()
            if all(claimed):
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        waited += [(one - rung).total_seconds() * 1000 for one in claimed if one is not None]
    await database.close()
    return waited


async def _facts(place: library.Place, wanted: int) -> dict[str, object]:
    database = Database("skriptoteket", place.database_url)
    await _until_ended(database, wanted)
    async with database.session() as session:
        states = (await session.execute(select(runs.c.state, func.count()).group_by(runs.c.state))).all()
        tries = (await session.execute(select(func.min(runs.c.attempt), func.max(runs.c.attempt)))).one()
    await database.close()
    return {"states": {str(state): number for state, number in states}, "attempts": list(tries)}


def _prove(number: int, pickups: int) -> int:
    with postgres_server(own=True) as server, tempfile.TemporaryDirectory(prefix="fsp-queue-") as folder:
        place = library.Place(Path(folder), server.database("library"))
        asyncio.run(library.create(place))
        asyncio.run(library.submit(place, number, owners=100, source=_SOURCE))
        began = time.monotonic()
        workers = [library.in_process(partial(_work, place, name)) for name in _WORKERS]
        try:
            facts = asyncio.run(_facts(place, number))
            seconds = time.monotonic() - began
            waited = sorted(asyncio.run(_pickups(place, pickups)))
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGTERM)
            for worker in workers:
                os.waitpid(worker, 0)
        started = {name: (place.folder / f"{name}.started").read_text().split() for name in _WORKERS}
    return _judge(number, pickups, facts, started, seconds, waited)


def _judge(
    number: int,
    pickups: int,
    facts: Mapping[str, object],
    started: Mapping[str, Sequence[str]],
    seconds: float,
    waited: Sequence[float],
) -> int:
    every = [run for one in started.values() for run in one]
    p95 = statistics.quantiles(waited, n=20)[-1] if len(waited) > 1 else 0.0
    print(f"{number} runs by {', '.join(f'{name}: {len(one)}' for name, one in started.items())} in {seconds:.1f} s")
    print(f"after the drain: {facts}")
    print(f"started {len(every)}, twice {len(every) - len(set(every))}")
    print(f"pickup after NOTIFY: p50 {statistics.median(waited):.1f} ms, p95 {p95:.1f} ms ({_PICKUP_MS:.0f} allowed)")
    once = facts == {"states": {"succeeded": number}, "attempts": [1, 1]}
    held = once and len(every) == len(set(every)) == number + 2 * pickups and p95 <= _PICKUP_MS
    print("held" if held else "NOT HELD")
    return 0 if held else 1


def main() -> int:
    """0 when nothing was lost, nothing was done twice, and workers woke in time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--pickups", type=int, default=100)
    chosen = parser.parse_args()
    return _prove(chosen.runs, chosen.pickups)


if __name__ == "__main__":
    sys.exit(main())
