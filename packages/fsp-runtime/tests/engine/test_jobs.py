"""Background jobs: on their interval, on one process, with their outcome kept."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastapi_services_platform import Job, PlatformSettings, create_app
from fastapi_services_platform.engine import jobs
from fastapi_services_platform.engine.jobs import JobRunner
from fastapi_services_platform.engine.leadership import FileLeadership
from fastapi_services_platform.testing import started_app


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[None]":
    """One item lets one pause end."""
    queue: asyncio.Queue[None] = asyncio.Queue()

    async def pause(_seconds: float) -> None:
        await queue.get()

    monkeypatch.setattr(jobs, "_pause", pause)
    return queue


async def test_a_job_runs_on_its_interval_and_survives_its_errors(
    settings: PlatformSettings, sample: Callable[..., Any], ticks: "asyncio.Queue[None]"
) -> None:
    """The first run fails, the second works; both are counted."""
    ran: asyncio.Queue[int] = asyncio.Queue()

    async def clean() -> None:
        await ran.put(1)
        if ran.qsize() == 1 and runner.states[0].runs == 1:
            raise RuntimeError("disk full")

    app = create_app(settings, capabilities=[sample(jobs=(Job("clean", clean, 60.0),))])
    async with started_app(app):
        platform: Any = app.state.platform
        runner: JobRunner = platform.jobs
        ticks.put_nowait(None)
        await ran.get()
        await asyncio.sleep(0)
        assert (runner.states[0].name, runner.states[0].error) == ("demo.clean", "RuntimeError: disk full")
        ticks.put_nowait(None)
        await ran.get()
        await asyncio.sleep(0)
        assert (runner.states[0].outcome, runner.states[0].runs, runner.states[0].failures) == ("success", 2, 1)


async def test_a_job_can_be_run_at_once(settings: PlatformSettings, ticks: "asyncio.Queue[None]") -> None:
    """run_now waits for the run and gives its state; an unknown name is a KeyError."""
    runner = JobRunner(FileLeadership(settings.data_dir / "jobs.lock"))

    async def work() -> None:
        await asyncio.sleep(0)

    runner.start([("demo", Job("work", work, 60.0))])
    assert (await runner.run_now("demo.work")).outcome == "success"
    with pytest.raises(KeyError):
        await runner.run_now("demo.other")
    await runner.stop()


async def test_one_process_leads_and_the_next_follows(tmp_path: Path) -> None:
    """Only one holder at a time; when it lets go another takes over."""
    one, two = FileLeadership(tmp_path / "jobs.lock"), FileLeadership(tmp_path / "jobs.lock")
    assert (await one.is_mine(), await two.is_mine(), await one.is_mine()) == (True, False, True)
    await one.release()
    assert (await two.is_mine(), await one.is_mine()) == (True, False)
    await two.release()
