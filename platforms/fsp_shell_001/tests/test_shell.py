"""The platform as it is delivered: built into wheels, installed, started, proved over HTTP, stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from au_sys_python_factory.gauntlet.people import Account, Sessions, bearer, complete
from au_sys_python_factory.shell.supervision.addresses import free_port

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.needs_uv, pytest.mark.needs_bwrap]


@dataclass(frozen=True)
class Running:
    """A shell that runs."""

    state: Path
    data: dict[str, Any]  # Any: JSON of the command

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.data["url"])


def factory(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "au_sys_python_factory", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def status(running: Running) -> subprocess.CompletedProcess[str]:
    """What ``shell status`` says now."""
    return factory("shell", "status", "--json", "--state", str(running.state))


def processes(running: Running) -> dict[str, int]:
    """Name and number of each process that the shell supervises now."""
    found: dict[str, int] = json.loads(status(running).stdout)["data"].get("processes", {})
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The shell on a free port, its state in a temporary folder."""
    state = tmp_path_factory.mktemp("shell") / "state"
    done = factory("shell", "up", "--detach", "--json", "--port", str(free_port()), "--state", str(state))
    try:
        assert done.returncode == 0, done.stderr
        yield Running(state, json.loads(done.stdout)["data"])
    finally:
        factory("shell", "down", "--state", str(state))


def test_every_capability_is_loaded_and_well(running: Running) -> None:
    """The bill of materials is what runs: identity, storage, skriptoteket, the hub and what was wired since."""
    found = {item["name"]: item for item in running.data["capabilities"]}
    features = yaml.safe_load((ROOT / "platforms/fsp_shell_001/config/router_factory_features.yaml").read_text())
    assert set(found) == {name for name, feature in features["capabilities"].items() if feature["enabled"]}
    assert {"hub", "identity", "skriptoteket", "storage"} <= set(found)
    assert {name: item["health"] for name, item in found.items()} == dict.fromkeys(found, "healthy")
    manifest = json.loads((running.state / "manifest.json").read_text())["wheels"]
    assert all(item["wheel"] in {wheel["sha256"] for wheel in manifest.values()} for item in found.values())
    assert set(running.data["processes"]) == {"web", "worker"}


def test_nothing_of_the_source_tree_is_on_the_path(running: Running) -> None:
    """No editable install, no path of the repository, byte code for every module of ours."""
    python = running.state / "venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", "import sys, skriptoteket, json; print(json.dumps([*sys.path, skriptoteket.__file__]))"],
        cwd=running.state,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [path for path in json.loads(done.stdout) if path.startswith(f"{ROOT}{os.sep}")]
    site = next((running.state / "venv").glob("lib/python*/site-packages"))
    missing = [
        path.name
        for path in (site / "fastapi_services_platform").rglob("*.py")
        if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))
    ]
    assert missing == []


def test_every_printed_address_answers(running: Running) -> None:
    """Each page is there, or sends a stranger to the sign-in page."""
    with httpx.Client(trust_env=False) as client:
        answers = {
            place: client.get(url, headers={"Accept": "text/html"}) for place, url in running.data["places"].items()
        }
    bad = {
        place: answer.status_code
        for place, answer in answers.items()
        if answer.status_code != 200 and not answer.headers.get("location", "").startswith("/login")
    }
    assert bad == {}


def test_the_credential_is_nowhere_on_disk(running: Running) -> None:
    """The one-time password is in the answer of the command, and in no file."""
    password = running.data["admin"]["password"].encode()
    places = [running.state / name for name in ("data", "logs", "run", "secrets")]
    holding = [
        path for place in places for path in place.rglob("*") if path.is_file() and password in path.read_bytes()
    ]
    assert holding == []


COUNTED = (
    *("/users", "/rbac/roles", "/rbac/policies", "/iam/groups", "/iam/service-accounts", "/iam/ai-agents"),
    *("/iam/ai-providers", "/iam/organizations", "/api/v1/admin/tools", "/api/v1/schedules"),
)


async def counts(running: Running) -> dict[str, int]:
    """How many there are of everything that people make, and how many documents in each namespace."""
    made = json.loads(factory("shell", "admin", "--json", "--state", str(running.state)).stdout)["data"]["admin"]
    admin = Account(made["email"], made["password"])
    sessions = Sessions(running.url, {"admin": admin})
    try:
        await complete(sessions, admin)
        async with sessions.plain() as client:
            answers = {path: await client.get(path, headers=bearer(admin), params={"limit": 100}) for path in COUNTED}
            storage = await client.get("/storage", headers=bearer(admin))
    finally:
        await sessions.close()
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(COUNTED, 200)
    found = {}
    for path, answer in answers.items():
        listed = answer.json() if isinstance(answer.json(), list) else answer.json()["items"]
        # A tool is never deleted, so those of a run stay, out of the catalogue; their addresses end with the run.
        found[path] = sum(re.search("-[0-9a-f]{8}$", str(item.get("slug", ""))) is None for item in listed)
    documents = {item["namespace"]: item["documents"] for item in storage.json()["namespaces"] if item["documents"]}
    return found | documents


async def test_the_gauntlet_passes_twice_and_leaves_nothing(running: Running) -> None:
    """There is as much as before; then once more on the same shell, with what changes the whole installation."""
    before = await counts(running)
    for options in ((), ("--destructive",)):
        done = factory("gauntlet", *options, "--state", str(running.state))
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"gauntlet: \d{3,} passed in", done.stdout), done.stdout[-500:]
        if not options:
            assert await counts(running) == before


def test_a_killed_worker_comes_back_and_tools_run_again(running: Running) -> None:
    """After kill -9 the supervisor starts another worker; the platform is well again and its own journey passes."""
    worker = processes(running)["worker"]
    os.kill(worker, signal.SIGKILL)
    end = time.monotonic() + 30
    while processes(running).get("worker") in (worker, None) or status(running).returncode != 0:
        assert time.monotonic() < end, status(running).stdout
    done = factory("gauntlet", "--only", "platform", "--state", str(running.state))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"gauntlet: \d{2} passed in", done.stdout), done.stdout[-500:]


def test_it_stops_cleanly_and_starts_again_with_its_data(running: Running) -> None:
    """Nothing is alive after the stop; the next start makes no second administrator."""
    started = list(processes(running).values())
    down = factory("shell", "down", "--json", "--state", str(running.state))
    assert json.loads(down.stdout)["data"]["was_running"] is True
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    assert [path for path in (running.state / "run").iterdir() if path.is_socket()] == []
    place = ("--port", str(free_port()), "--state", str(running.state))
    again = factory("shell", "up", "--detach", "--no-build", "--json", *place)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["data"]["admin"] is None
