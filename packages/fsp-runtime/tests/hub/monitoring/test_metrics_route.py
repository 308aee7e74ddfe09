"""/metrics: for those who hold the permission, and for the scraper with its token."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from fastapi_services_platform import PlatformSettings
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import believing_identity
from fastapi_services_platform.testing.started_app import settings_for

TOKEN = "scrape-me-0123456789"


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[AsyncClient]:
    with_token = settings_for(settings.data_dir, metrics_token=TOKEN)
    async with started_app(settings=with_token, capabilities=[believing_identity()]) as started:
        yield started


async def test_operators_read_metrics(client: AsyncClient) -> None:
    """What was asked before is counted by its route's template."""
    await client.get("/problems/platform/not-found")
    answer = await client.get("/metrics", headers={"authorization": "Bearer ada"})
    expected = 'fsp_http_requests_total{method="GET",route="/problems/{capability}/{slug}",status="200"} 1.0'
    assert (answer.status_code, expected in answer.text) == (200, True)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_the_scraper_reads_metrics(client: AsyncClient) -> None:
    """The token of the settings opens the metrics, and nothing else."""
    header = {"authorization": f"Bearer {TOKEN}"}
    assert (await client.get("/metrics", headers=header)).status_code == 200


async def test_nobody_else_reads_metrics(client: AsyncClient) -> None:
    """Without a token the answer is 401."""
    answer = await client.get("/metrics")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "authentication-required")


async def test_without_the_permission_metrics_are_refused(settings: PlatformSettings) -> None:
    """A person without ``platform.metrics.read`` gets 403, and an unset token opens nothing."""
    identity = believing_identity(frozenset({"platform.metrics.read"}))
    async with started_app(settings=settings, capabilities=[identity]) as client:
        named = await client.get("/metrics", headers={"authorization": "Bearer ada"})
        empty = await client.get("/metrics", headers={"authorization": "Bearer "})
    assert (named.status_code, empty.status_code) == (403, 401)


async def test_parts_of_the_platform_are_measured(client: AsyncClient) -> None:
    """Pools, logging, capabilities, jobs, lanes and the event loop have metrics."""
    text = (await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).text
    names = (
        "fsp_database_pool_size",
        "fsp_log_events_dropped_total",
        "fsp_capability_up",
        "fsp_job_runs_total",
        "fsp_http_requests_under_way",
        "fsp_event_loop_lag_seconds",
        "fsp_blocking_waiting",
        "process_resident_memory_bytes",
    )
    assert [name for name in names if name not in text] == []
