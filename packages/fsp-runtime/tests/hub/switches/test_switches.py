"""What operators change while the platform runs: flags and jobs, audited, by API and by form."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from httpx import AsyncClient

from fastapi_services_platform import Job, PlatformSettings
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity
from fastapi_services_platform.testing.started_app import settings_for

API = {"authorization": "Bearer ada"}
BROWSER = {"accept": "text/html", "cookie": "session=ada"}
FLAGS = {
    "new-page": {"type": "boolean", "default": False, "description": "Show the new page.", "owner": "team-a"},
    "limit": {"type": "number", "default": 3, "description": "How many.", "owner": "team-b", "expires": "2020-01-01"},
}


class Sweeper:
    """A job that counts its runs, and fails when told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False

    async def run(self) -> None:
        self.runs += 1
        if self.fails:
            raise RuntimeError("the broom broke")


@pytest.fixture
def sweeper() -> Sweeper:
    return Sweeper()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    config.mkdir()
    (config / "feature_flags.json").write_text(json.dumps(FLAGS))
    return config


@pytest.fixture
async def client(
    settings: PlatformSettings, folder: Path, sample: Callable[..., Prepared], sweeper: Sweeper
) -> AsyncIterator[AsyncClient]:
    with_flags = settings_for(settings.data_dir, config_dir=folder)
    demo = sample(jobs=(Job("sweep", sweeper.run, 3600),))
    async with started_app(settings=with_flags, capabilities=[demo, believing_identity()]) as started:
        yield started


async def audited(client: AsyncClient) -> tuple[str, str, dict[str, object]]:
    entry = (await client.get("/platform/api/v1/audit", headers=API)).json()["entries"][0]
    return entry["action"], entry["resource"], entry["details"]


async def test_a_flag_changes_with_its_file_and_its_history(client: AsyncClient, folder: Path) -> None:
    """The change is in force, in the file, in the audit trail and on the page."""
    change = {"flag": "new-page", "value": True, "reason": "Launch day"}
    answer = await client.put("/platform/api/v1/flags", json=change, headers=API)
    kept = json.loads((folder / "feature_flags.json").read_text())["new-page"]["default"]
    page = (await client.get("/platform/flags", headers=BROWSER)).text
    found = next(item for item in answer.json() if item["name"] == "new-page")
    assert (found["default"], kept, "Launch day" in page) == (True, True, True)
    assert await audited(client) == ("platform.flag_changed", "flag:new-page", {"before": False, "after": True})
    history = (await client.get("/platform/api/v1/flags/history", headers=API)).json()
    assert [(entry["flag"], entry["actor"], entry["reason"]) for entry in history] == [
        ("new-page", "urn:fsp:person:ada", "Launch day")
    ]


@pytest.mark.parametrize(
    ("flag", "value"), [("none", True), ("new-page", "perhaps"), ("limit", "many"), ("new-page", 1.5)]
)
async def test_a_flag_takes_only_what_fits(client: AsyncClient, folder: Path, flag: str, value: object) -> None:
    """An unknown flag or a value of another type changes nothing and says what would fit."""
    answer = await client.put("/platform/api/v1/flags", json={"flag": flag, "value": value}, headers=API)
    assert (answer.status_code, answer.json()["type"]) == (422, "http://platform.test/problems/hub/flag-refused")
    assert json.loads((folder / "feature_flags.json").read_text()) == FLAGS


async def test_an_expired_flag_is_marked(client: AsyncClient) -> None:
    """A flag whose time is over stands out."""
    assert "expired" in (await client.get("/platform/flags", headers=BROWSER)).text


async def test_a_flag_is_changed_by_a_form(client: AsyncClient) -> None:
    """The form gives text, and the flag keeps its type."""
    token = await form_token(client, "/platform/flags")
    form = {"csrf_token": token, "flag": "limit", "value": "7"}
    answer = await client.post("/platform/flags", data=form, headers={"cookie": "session=ada"})
    flags = (await client.get("/platform/api/v1/flags", headers=API)).json()
    assert (answer.status_code, next(f["default"] for f in flags if f["name"] == "limit")) == (303, 7.0)


async def test_a_job_runs_at_once(client: AsyncClient, sweeper: Sweeper) -> None:
    """The run is waited for, audited and shown."""
    answer = await client.post("/platform/api/v1/jobs/demo.sweep/runs", headers=API)
    assert (answer.status_code, answer.json()["outcome"], sweeper.runs) == (200, "success", 1)
    assert await audited(client) == ("platform.job_started", "job:demo.sweep", {})


async def test_a_job_that_fails_says_so(client: AsyncClient, sweeper: Sweeper) -> None:
    """The page shows the outcome with its cause."""
    sweeper.fails = True
    token = await form_token(client, "/platform/jobs")
    form = {"csrf_token": token, "job": "demo.sweep"}
    await client.post("/platform/jobs", data=form, headers={"cookie": "session=ada"})
    assert "the broom broke" in (await client.get("/platform/jobs", headers=BROWSER)).text


async def test_an_unknown_job_is_not_found(client: AsyncClient) -> None:
    """Only jobs of the list can be run."""
    answer = await client.post("/platform/api/v1/jobs/demo.none/runs", headers=API)
    assert (answer.status_code, answer.json()["type"]) == (404, "http://platform.test/problems/hub/unknown-job")


async def form_token(client: AsyncClient, path: str) -> str:
    page = (await client.get(path, headers=BROWSER)).text
    return page.split('name="csrf_token" value="')[1].split('"')[0]
