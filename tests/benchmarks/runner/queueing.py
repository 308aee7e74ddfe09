"""B8: durable submissions, claims and ends in SQLite, against inserts of one row each by the bare library."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.runs.library import Place, Shifted, create, submit

from fastapi_services_platform import Database
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.conformance.gates import Row
from skriptoteket.core.identifiers import RunId, WorkerId
from skriptoteket.core.runs.models import Ended, Outcome, OutcomeCode, RunState
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.ports.records import RunFilter
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

LEASE = timedelta(seconds=30)
DONE = Ended(Outcome(OutcomeCode.OK), outputs=({"kind": "notice", "level": "info", "message": "done"},))


async def rows(folder: Path, count: int) -> list[Row]:
    """Rates of a library with one tool."""
    folder.mkdir(parents=True)
    place = Place(folder, f"sqlite+aiosqlite:///{folder}/library.db")
    await create(place)
    await submit(place, 2)
    database = Database("skriptoteket", place.database_url)
    try:
        work = SqlUnitOfWork(database)
        submitted, raw = await _submitted(work, count), await asyncio.to_thread(_raw, folder / "raw.db", count)
        ended = await _ended(work, count)
    finally:
        await database.close()
    return [
        Row("B8 durable submissions", submitted, 500, "/s", at_least=True, absolute=True),
        Row("B8 claims and ends", ended, 400, "/s", at_least=True, absolute=True),
        Row("B8 submissions / bare inserts", submitted / raw, 0.5, "x", at_least=True),
    ]


async def _submitted(work: SqlUnitOfWork, count: int) -> float:
    async with work.read() as unit:
        pattern, *_ = await unit.runs.page(RunFilter(), 1, None)
    ids, began = TimeOrderedIds(), time.perf_counter()
    for number in range(count):
        async with work.write() as unit:
            run = replace(pattern, id=RunId(ids.new()), requested_by=f"urn:x:{number}", requested_at=datetime.now(UTC))
            await unit.runs.add(run)
    return count / (time.perf_counter() - began)


async def _ended(work: SqlUnitOfWork, count: int) -> float:
    rules, clock = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096), Shifted()
    began = time.perf_counter()
    for _ in range(count):
        async with work.write() as unit:
            run = await unit.queue.claim(WorkerId("bench"), rules, clock.now(), LEASE)
        assert run is not None
        assert run.claim is not None
        async with work.write() as unit:
            for state in (RunState.RUNNING, RunState.COLLECTING):
                await unit.queue.move(run.claim, state, clock.now())
            await unit.queue.finish(run.claim, DONE, clock.now())
    return count / (time.perf_counter() - began)


def _raw(file: Path, count: int) -> float:
    database = sqlite3.connect(file, isolation_level=None)
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, body TEXT)")
        began = time.perf_counter()
        for number in range(count):
            database.execute("INSERT INTO runs VALUES (?, ?)", (f"{number:032}", "x" * 600))
        return count / (time.perf_counter() - began)
    finally:
        database.close()
