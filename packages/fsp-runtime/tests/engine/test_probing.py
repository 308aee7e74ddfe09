"""The report of /health: jobs and room on the disk, beside what the capabilities tell."""

from collections.abc import Callable
from pathlib import Path

from fastapi_services_platform import Job
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared
from fastapi_services_platform.testing.started_app import settings_for


async def test_a_job_that_fails_is_seen(sample: Callable[..., Prepared], tmp_path: Path) -> None:
    """Degraded until it works again; what the error says stays in the log."""
    faults = ["the password is hunter2"]

    async def sweep() -> None:
        if faults:
            raise RuntimeError(faults.pop())

    capability = sample(jobs=(Job("sweep", sweep, 3600.0),))
    found = []
    async with started_app(settings=settings_for(tmp_path), capabilities=[capability]) as client:
        app = client._transport.app  # type: ignore[attr-defined]  # the kit's own transport
        for _ in range(2):
            await app.platform.jobs.run_now("demo.sweep")
            app.probe._until = 0.0
            answer = await client.get("/health")
            report = answer.json()
            found.append((answer.status_code, report["status"], report["jobs"]["demo.sweep"]["status"]))
            assert "hunter2" not in answer.text
    assert found == [(200, "degraded", "degraded"), (200, "healthy", "healthy")]


async def test_a_disk_that_fills_up_is_seen(sample: Callable[..., Prepared], tmp_path: Path) -> None:
    """Before it is full: the platform is degraded and still ready."""
    found = {}
    for least in (0, 10**12):
        settings = settings_for(tmp_path / "not" / "made" / "yet", min_free_mb=least)
        async with started_app(settings=settings, capabilities=[sample()]) as client:
            answer = await client.get("/health")
        found[least] = (answer.status_code, answer.json()["disk"]["data"]["status"])
    assert found == {0: (200, "healthy"), 10**12: (200, "degraded")}
