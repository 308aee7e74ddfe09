"""Charts and history of several processes as one."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.hub.monitoring.health_history import HealthHistory, Look
from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.hub.monitoring.together import BusyRoute, Together
from fastapi_services_platform.observability.metrics import Measurements
from fastapi_services_platform.observability.vitals import Sample, Vitals
from fastapi_services_platform.testing.started_app import settings_for

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def sample(age: int, rate: float, mean: float, lag: float, memory: float = 100.0) -> Sample:
    return Sample(NOW - timedelta(seconds=age), rate, rate / 10, mean, lag, memory)


@pytest.fixture
async def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Together]]]:
    """Makes one more process of a parent, with what it knows."""
    folder = tmp_path / "siblings"
    folder.mkdir()
    opened: list[tuple[int, Siblings]] = []

    async def make(samples: list[Sample], looks: list[Look], *answers: tuple[str, int]) -> Together:
        number, measured = 1000 + len(opened), Measurements()
        for route, status in answers:
            measured.observe("GET", route, status, 0.5)
        vitals, history = Vitals(measured), HealthHistory(Overview(Platform(settings_for(tmp_path))))
        vitals.samples.extend(samples)
        history.looks.extend(looks)
        siblings = Siblings(folder)
        together = Together(siblings, vitals, history, measured)
        together.answer_siblings()
        monkeypatch.setattr(os, "getpid", lambda: number)
        await siblings.open()
        opened.append((number, siblings))
        return together

    yield make
    for number, siblings in opened:
        monkeypatch.setattr(os, "getpid", lambda number=number: number)
        await siblings.close()


async def test_figures_of_all_processes_are_one(process: Callable[..., Awaitable[Together]]) -> None:
    """Rates and memory add up, the mean counts by answers, the delay is the longest; the latest stand together."""
    await process([sample(1, 30.0, 10.0, 2.0)], [])
    asked = await process([sample(4, 5.0, 7.0, 1.0), sample(0, 10.0, 50.0, 9.0)], [])
    assert await asked.samples(10) == [
        sample(4, 5.0, 7.0, 1.0),
        Sample(NOW, 40.0, 4.0, 20.0, 9.0, 200.0),
    ]
    assert await asked.samples(1) == [Sample(NOW, 40.0, 4.0, 20.0, 9.0, 200.0)]


async def test_the_worst_that_anybody_saw_is_the_state(process: Callable[..., Awaitable[Together]]) -> None:
    """With every part that ails in some process."""
    await process([], [Look(NOW, "degraded", ("pool b",))])
    await process([], [Look(NOW, "unhealthy", ("pool a", "pool b"))])
    asked = await process([], [Look(NOW, "healthy", ()), Look(NOW, "healthy", ())])
    assert await asked.looks(10) == [Look(NOW, "healthy", ()), Look(NOW, "unhealthy", ("pool a", "pool b"))]


async def test_the_busiest_routes_are_those_of_all_processes(process: Callable[..., Awaitable[Together]]) -> None:
    """Answers, time and failures add up; the route with the most comes first."""
    await process([], [], ("/a", 200), ("/b", 200), ("/b", 500))
    asked = await process([], [], ("/a", 200), ("/a", 404), ("/c", 200), ("/b", 503), ("/b", 200))
    assert await asked.busiest(2) == [BusyRoute("GET /b", 4, 2.0, 2), BusyRoute("GET /a", 3, 1.5, 0)]


async def test_one_process_alone_shows_its_own(tmp_path: Path) -> None:
    """Nobody is asked."""
    vitals = Vitals(Measurements())
    vitals.samples.append(sample(0, 0.0, 0.0, 1.0))
    history = HealthHistory(Overview(Platform(settings_for(tmp_path))))
    together = Together(Siblings(), vitals, history, Measurements())
    assert (await together.samples(5), await together.looks(5), together.alone) == (
        [sample(0, 0.0, 0.0, 1.0)],
        [],
        True,
    )
