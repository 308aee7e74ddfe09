"""The platform served by granian: the same answers, and the same graceful end, of two processes on one port."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fastapi_services_platform.engine.processes import granian_server
from fastapi_services_platform.engine.processes.granian_server import need_granian, reserve
from fastapi_services_platform.errors import ConfigurationError

APP = """
import asyncio, os
from pathlib import Path
from fastapi import APIRouter
from fastapi_services_platform import Contribution, Manifest, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

router = APIRouter()

@router.get("/pid")
@access(public=True)
async def pid() -> int:
    return os.getpid()

@router.post("/slow")
@access(authenticated=True)
async def slow(text: str) -> str:
    Path(os.environ["FSP_DATA_DIR"], "begun").touch()
    await asyncio.sleep(0.6)
    return text

def make():
    demo = Prepared(Manifest("demo", "1.0", "Demo"), Contribution(routers=(RouterMount("api", router, Tier.API),)))
    return create_app(capabilities=[demo, believing_identity()])
"""


class Running:
    """Two processes and their parent."""

    def __init__(self, folder: Path) -> None:
        (folder / "served.py").write_text(APP)
        self.begun = folder / "begun"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {**os.environ, "FSP_DATA_DIR": str(folder), "PYTHONPATH": str(folder)}
        arguments = [sys.executable, "-m", "fastapi_services_platform.cli", "run", "--app", "served:make"]
        self.arguments = [*arguments, "--server", "granian", "--port", str(self.port)]
        self.parent = subprocess.Popen(
            [*self.arguments, "--workers", "2"], env=self.environment, stderr=subprocess.DEVNULL
        )
        self.base = f"http://127.0.0.1:{self.port}"

    def pids(self) -> set[int]:
        """Processes that answered, until two did."""
        found: set[int] = set()
        deadline = time.monotonic() + 60
        while len(found) < 2 and time.monotonic() < deadline:
            try:
                found.add(httpx.get(f"{self.base}/pid", timeout=5).json())
            except httpx.HTTPError:
                time.sleep(0.05)
        return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(tmp_path_factory.mktemp("granian"))
    yield found
    if found.parent.poll() is None:
        found.parent.kill()
    found.parent.wait()


def test_two_processes_answer_on_one_port(running: Running) -> None:
    """Each binds it for itself, and nobody else may have it."""
    assert len(running.pids()) == 2
    with pytest.raises(OSError, match="in use"):
        reserve("127.0.0.1", running.port)


def test_answers_are_those_of_the_platform(running: Running) -> None:
    """Problems, headers, limits and the refusal of strangers are our layer's, whoever speaks HTTP."""
    running.pids()
    with httpx.Client(base_url=running.base) as client:
        refused = client.post("/slow?text=a")
        missing = client.get("/nowhere")
        health = client.get("/health")
        large = client.get("/pid", headers={"x-large": "x" * 40_000})
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert (missing.status_code, "x-correlation-id" in missing.headers) == (404, True)
    assert (health.status_code, "nosniff" in health.headers["x-content-type-options"]) == (200, True)
    assert large.status_code == 431


def test_a_request_under_way_is_answered_before_the_end(running: Running) -> None:
    """The first signal lets it finish; the exit code is 0."""
    running.pids()
    answers: list[httpx.Response] = []

    def ask() -> None:
        headers = {"authorization": "Bearer ada"}
        answers.append(httpx.post(f"{running.base}/slow?text=done", headers=headers, timeout=20))

    asking = threading.Thread(target=ask)
    asking.start()
    deadline = time.monotonic() + 30
    while not running.begun.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    running.parent.send_signal(signal.SIGTERM)
    asking.join(30)
    assert (answers[0].status_code, answers[0].json(), running.parent.wait(60)) == (200, "done", 0)


def test_without_the_library_the_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install."""
    monkeypatch.setattr(granian_server, "find_spec", lambda _: None)
    with pytest.raises(
        ConfigurationError, match=r"--server: granian is not installed.*fastapi-services-platform\[granian\]"
    ):
        need_granian()
