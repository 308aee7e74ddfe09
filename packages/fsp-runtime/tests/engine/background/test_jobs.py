"""Background jobs: on their interval, on one process, with their outcome kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fastapi_services_platform import Job
from fastapi_services_platform.engine.background import jobs
from fastapi_services_platform.engine.background.jobs import JobRun, JobRunner
from fastapi_services_platform.engine.background.leadership import Lease
from fastapi_services_platform.persistence.databases import Database


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[None]":
    """One item lets one pause end."""
    queue: asyncio.Queue[None] = asyncio.Queue()

    async def pause(_seconds: float) -> None:
        await queue.get()

    monkeypatch.setattr(jobs, "_pause", pause)
    return queue


@pytest.fixture
async def lease(tmp_path: Path) -> AsyncIterator[Lease]:
    """Of the only process."""
    database = Database("hub", f"sqlite:///{tmp_path / 'hub.db'}")
    yield Lease(database)
    await database.close()


async def test_a_job_runs_on_its_interval_and_survives_its_errors(lease: Lease, ticks: "asyncio.Queue[None]") -> None:
    """The first run fails, the second works; both are counted."""
    runner = JobRunner(lease)
    ran: asyncio.Queue[int] = asyncio.Queue()

    async def clean() -> None:
        ran.put_nowait(1)
        if runner.states[0].runs == 1:
            raise RuntimeError("disk full")

    runner.start([("demo", Job("clean", clean, 60.0))])
    ticks.put_nowait(None)
    await ran.get()
    await asyncio.sleep(0)
    assert (runner.states[0].name, runner.states[0].error) == ("demo.clean", "RuntimeError: disk full")
    ticks.put_nowait(None)
    await ran.get()
    await asyncio.sleep(0)
    assert (runner.states[0].outcome, runner.states[0].runs, runner.states[0].failures) == ("success", 2, 1)
    await runner.stop()


async def test_a_job_can_be_run_at_once(lease: Lease, ticks: "asyncio.Queue[None]") -> None:
    """run_now waits for the run and gives its state; an unknown name is a KeyError."""
    runner = JobRunner(lease)

    async def work() -> None:
        await asyncio.sleep(0)

    runner.start([("demo", Job("work", work, 60.0))])
    assert (await runner.run_now("demo.work")).outcome == "success"
    with pytest.raises(KeyError):
        await runner.run_now("demo.other")
    await runner.stop()


async def test_what_runs_is_told_and_not_too_often(lease: Lease, ticks: "asyncio.Queue[None]") -> None:
    """A job that goes as before is told once; a failure, and a run that somebody asked for, at once."""
    runner = JobRunner(lease)
    told: asyncio.Queue[str] = asyncio.Queue()
    fails = False

    async def keep(name: str, run: JobRun) -> None:
        told.put_nowait(f"{name} {run.outcome} {run.error}".strip())

    async def work() -> None:
        if fails:
            raise RuntimeError("no broom")

    runner.keeper = keep
    runner.start([("demo", Job("work", work, 60.0))])
    for _ in range(3):
        ticks.put_nowait(None)
    first = await told.get()
    while runner.states[0].runs < 3:
        await asyncio.sleep(0.01)
    fails = True
    ticks.put_nowait(None)
    second = await told.get()
    await runner.run_now("demo.work")
    await runner.stop()
    assert (first, second) == ("demo.work success", "demo.work failed RuntimeError: no broom")
    assert told.qsize() == 1


async def test_a_job_of_every_process_needs_no_leader(tmp_path: Path, ticks: "asyncio.Queue[None]") -> None:
    """A follower runs it too; other jobs it leaves to the leader."""
    databases = [Database("hub", f"sqlite:///{tmp_path / 'hub.db'}") for _ in range(2)]
    leader, follower = Lease(databases[0]), JobRunner(Lease(databases[1]))
    assert await leader.is_mine()
    ran: asyncio.Queue[str] = asyncio.Queue()

    async def own() -> None:
        ran.put_nowait("own")

    async def other() -> None:
        ran.put_nowait("other")

    jobs_of_both = [("demo", Job("own", own, 60.0, everywhere=True)), ("demo", Job("other", other, 60.0))]
    follower.start(jobs_of_both)
    ticks.put_nowait(None)
    ticks.put_nowait(None)
    found = {await ran.get()}
    await follower.stop()
    await leader.release()
    for database in databases:
        await database.close()
    while not ran.empty():
        found.add(ran.get_nowait())
    assert found == {"own"}
