"""Several processes on one port and one set of databases."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fastapi_services_platform.engine.processes.serving import bind, doors

APP = """
import os
from fastapi import APIRouter
from fastapi_services_platform import Contribution, Manifest, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing.stand_ins import Prepared, believing_identity

router = APIRouter()

@router.get("/pid")
@access(public=True)
async def pid() -> int:
    return os.getpid()

def make():
    routers = (RouterMount("api", router, Tier.API),)
    demo = Prepared(Manifest("demo", "1.0", ""), Contribution(routers=routers))
    return create_app(capabilities=[demo, believing_identity()])
"""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    (tmp_path / "worked.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "FSP_DATA_DIR": str(tmp_path),
        "FSP_METRICS_TOKEN": "scrape-me-0123456789",
        "PYTHONPATH": str(tmp_path),
    }
    arguments = [sys.executable, "-m", "fastapi_services_platform.cli", "run", "--app", "worked:make"]
    arguments += ["--workers", "3", "--port", str(port)]
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as parent:
        yield f"http://127.0.0.1:{port}", parent
        if parent.poll() is None:
            parent.send_signal(signal.SIGTERM)
            parent.wait(60)


def pids(base: str, wanted: int, but: int = 0) -> set[int]:
    """Processes that answered, until ``wanted`` of them did."""
    found: set[int] = set()
    deadline = time.monotonic() + 150
    while len(found) < wanted and time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{base}/pid", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        if answer.status_code == 200 and answer.json() != but:
            found.add(answer.json())
    return found


def test_every_process_is_measured_and_told(platform: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    """One scrape shows all three processes, and a level that is changed on one holds on all."""
    base, _ = platform
    found = pids(base, 3)
    scrape = {"authorization": "Bearer scrape-me-0123456789"}
    deadline = time.monotonic() + 60
    shown: set[str] = set()
    while len(shown) < 3 and time.monotonic() < deadline:
        text = httpx.get(f"{base}/metrics", headers=scrape, timeout=20).text
        shown = set(re.findall(r'fsp_capability_up{process="(\d+)",capability="hub"} 1.0', text))
    assert shown == {str(pid) for pid in found}
    assert text.count("# TYPE fsp_capability_up gauge") == 1
    ada = {"authorization": "Bearer ada"}
    level = {"logger": "demo", "level": "error"}
    httpx.put(f"{base}/platform/api/v1/log-levels", headers=ada, json=level, timeout=20).raise_for_status()
    levels = [httpx.get(f"{base}/platform/api/v1/log-levels", headers=ada, timeout=20).json() for _ in range(12)]
    assert {item.get("demo") for item in levels} == {"error"}


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


def test_children_of_a_killed_parent_end(platform: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    """SIGKILL leaves a parent no time to tell them; they see that it is gone, and leave nothing behind."""
    base, parent = platform
    left = pids(base, 3)
    folders = {_argument(pid, "--siblings") for pid in left}
    parent.kill()
    parent.wait(60)
    deadline = time.monotonic() + 120
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if Path(f"/proc/{pid}").exists()}
        time.sleep(0.05)
    assert left == set()
    assert [folder for folder in folders if Path(folder).exists()] == []


def _argument(pid: int, name: str) -> str:
    given = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return given[given.index(name) + 1]


def test_a_port_is_open_through_sixteen_doors() -> None:
    """One for each connection that uvloop accepts in a turn; all lead to the same port."""
    listening = bind("127.0.0.1", 0)
    opened = doors(listening)
    assert {door.getsockname() for door in opened} == {listening.getsockname()}
    assert len({door.fileno() for door in opened}) == 16
    for door in opened:
        door.close()
