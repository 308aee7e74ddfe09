"""Four workers of two hosts drain one queue on PostgreSQL: every run is finished, and by one of them."""

import asyncio
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from fastapi_services_platform import Database
from skriptoteket.adapters.db.tables import whole_metadata
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.platform.time_and_ids import TimeOrderedIds
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.runs.models import (
    Ended,
    Lane,
    Outcome,
    OutcomeCode,
    Run,
    RunContext,
    RunKind,
    RunState,
)
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

if TYPE_CHECKING:
    from fastapi_services_platform.testing.postgres import PostgresServer

_RUNS = int(os.environ.get("SKRIPTOTEKET_QUEUE_RUNS", "40"))
_RULES = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096, max_active_per_user=1000)
_LEASE = timedelta(seconds=60)
_WORKERS = ("north-1", "north-2", "south-1", "south-2")


async def submitted(work: SqlUnitOfWork) -> list[RunId]:
    """Runs of ten people in two lanes."""
    ids, now, tool = TimeOrderedIds(), datetime.now(UTC), ToolId(uuid4())
    runs: list[RunId] = []
    async with work.write() as unit:
        await unit.tools.add(Tool(tool, "tool", "Tool", "", "urn:x:owner", now, now))
        for number in range(_RUNS):
            lane = (Lane.INTERACTIVE, Lane.SCHEDULED)[number % 2]
            what = (RunKind.PRODUCTION, RunContext.PRODUCTION, lane, RunState.QUEUED, tool, None, None, "h")
            run = Run(RunId(ids.new()), *what, f"urn:x:user-{number % 10}", now, "standard@1")
            await unit.runs.add(run)
            runs.append(run.id)
    return runs


async def drained(url: str, name: str) -> list[RunId]:
    """What this worker finished until nothing waited, on connections of its own."""
    database, worker, now = Database("skriptoteket", url), WorkerId(name), datetime.now(UTC)
    work, finished = SqlUnitOfWork(database), list[RunId]()
    record = Worker(worker, name.partition("-")[0], "boot", 1, 1.0, "1", "zygote", {}, (), 4096, 0, False, now, now)
    async with work.write() as unit:
        await unit.workers.save(record)
    while True:
        async with work.write() as unit:
            run = await unit.queue.claim(worker, _RULES, datetime.now(UTC), _LEASE)
        if run is None or run.claim is None:
            async with work.read() as unit:
                if await unit.queue.depth() == 0:
                    break
            continue
        async with work.write() as unit:
            for state in (RunState.RUNNING, RunState.COLLECTING):
                await unit.queue.move(run.claim, state, datetime.now(UTC), runner="test")
        async with work.write() as unit:
            await unit.queue.finish(run.claim, Ended(Outcome(OutcomeCode.OK)), datetime.now(UTC))
        finished.append(run.id)
    await database.close()
    return finished


async def test_four_workers_finish_every_run_once(postgres: "PostgresServer") -> None:
    """Nothing is lost, nothing is claimed or finished twice, whoever of the two hosts was faster."""
    url = postgres.database("skriptoteket_drain")
    database = Database("skriptoteket", url)
    async with database.engine.begin() as connection:
        await connection.run_sync(whole_metadata().create_all)
    work = SqlUnitOfWork(database)
    wanted = await submitted(work)
    finished = await asyncio.gather(*(drained(url, name) for name in _WORKERS))
    async with work.read() as unit:
        ended = [await unit.runs.get(run_id) for run_id in wanted]
    await database.close()

    assert Counter(wanted) == Counter(run_id for one in finished for run_id in one)
    assert {(run.state, run.attempt, run.tries) for run in ended} == {(RunState.SUCCEEDED, 1, 1)}
