"""Several processes on one port and one set of databases."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

APP = """
import os
from fastapi import APIRouter
from fastapi_services_platform import Contribution, Manifest, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing.stand_ins import Prepared

router = APIRouter()

@router.get("/pid")
@access(public=True)
async def pid() -> int:
    return os.getpid()

def make():
    routers = (RouterMount("api", router, Tier.API),)
    return create_app(capabilities=[Prepared(Manifest("demo", "1.0", ""), Contribution(routers=routers))])
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    (tmp_path / "worked.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "FSP_DATA_DIR": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    arguments = [sys.executable, "-m", "fastapi_services_platform.cli", "run", "--app", "worked:make"]
    arguments += ["--workers", "3", "--port", str(port)]
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as parent:
        yield f"http://127.0.0.1:{port}", parent
        if parent.poll() is None:
            parent.kill()


def pids(base: str, wanted: int, but: int = 0) -> set[int]:
    """Processes that answered, until ``wanted`` of them did."""
    found: set[int] = set()
    deadline = time.monotonic() + 60
    while len(found) < wanted and time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{base}/pid", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if answer.status_code == 200 and answer.json() != but:
            found.add(answer.json())
    return found


def test_workers_share_a_port_are_replaced_and_end_together(
    platform: tuple[str, "subprocess.Popen[bytes]"],
) -> None:
    """Three processes answer; one that is killed is replaced; SIGTERM ends them all with 0."""
    base, parent = platform
    first = pids(base, 3)
    assert len(first) == 3
    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    after = pids(base, 3, but=victim)
    assert len(after) == 3
    assert victim not in after
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(60) == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{base}/pid", timeout=2)
