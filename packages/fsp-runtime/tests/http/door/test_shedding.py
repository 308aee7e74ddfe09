"""Overload and the end of a server: what is turned away, what is still answered."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter

from fastapi_services_platform import RouterMount, Tier, access
from fastapi_services_platform.http.door.shedding import Turn
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.started_app import settings_for

APP = """
import asyncio
from pathlib import Path
import sys
from fastapi import APIRouter
from fastapi_services_platform import Contribution, Manifest, RouterMount, Tier, access, create_app
from fastapi_services_platform.testing.stand_ins import Prepared

router = APIRouter()

@router.get("/slow")
@access(public=True)
async def slow() -> dict[str, str]:
    print("working", flush=True)
    await asyncio.sleep(1.0)
    return {"slow": "done"}

def make():
    routers = (RouterMount("api", router, Tier.API),)
    return create_app(capabilities=[Prepared(Manifest("demo", "1.0", ""), Contribution(routers=routers))])
"""


async def test_more_than_the_limit_is_turned_away_and_probes_are_not(
    tmp_path: Path, sample: Callable[..., Any]
) -> None:
    """The third of two is a 503 with Retry-After; /health/live answers all the same."""
    router, gate = APIRouter(), asyncio.Event()

    @router.get("/wait")
    @access(public=True)
    async def wait() -> dict[str, str]:
        await gate.wait()
        return {"waited": "yes"}

    capability = sample(routers=(RouterMount("api", router, Tier.API),))
    settings = settings_for(tmp_path, max_concurrent_requests=2)
    async with started_app(settings=settings, capabilities=[capability]) as client:
        waiting = [asyncio.create_task(client.get("/wait")) for _ in range(2)]
        await asyncio.sleep(0.05)
        shed = await client.get("/wait")
        alive = await client.get("/health/live")
        gate.set()
        answers = [(await task).status_code for task in waiting]
        after = await client.get("/wait")
    assert (shed.status_code, shed.headers["retry-after"], alive.status_code) == (503, "1", 200)
    assert (answers, after.status_code) == ([200, 200], 200)


def test_a_signal_lets_requests_finish_and_turns_readiness_off_first(tmp_path: Path) -> None:
    """SIGTERM in the middle of a request: not ready, the answer still comes, the exit code is 0."""
    (tmp_path / "served.py").write_text(APP)
    own = {"FSP_DATA_DIR": str(tmp_path), "FSP_DRAIN_SECONDS": "0.5", "PYTHONPATH": str(tmp_path)}
    environment = {**os.environ, **own}
    port = _free_port()
    arguments = [
        sys.executable,
        "-m",
        "fastapi_services_platform.cli",
        "run",
        "--app",
        "served:make",
        "--port",
        str(port),
    ]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        base = f"http://127.0.0.1:{port}"
        _wait_for(f"{base}/health/ready")
        request = subprocess.Popen(
            [sys.executable, "-c", f"import httpx; print(httpx.get('{base}/slow', timeout=20).text)"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        assert server.stdout.readline() == b"working\n"
        server.send_signal(signal.SIGTERM)
        ready = httpx.get(f"{base}/health/ready", timeout=5).status_code
        live = httpx.get(f"{base}/health/live", timeout=5).status_code
        answer = request.communicate(timeout=20)[0].strip()
        code = server.wait(20)
    assert (ready, live, answer) == (503, 200, '{"slow":"done"}')
    assert code == 0


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")


async def test_a_turn_of_the_loop_that_takes_too_long_sheds_what_is_behind() -> None:
    """Work that never waits fills no lane; its place in the turn decides, and the next turn begins anew."""
    times = iter((10.0, 10.05, 10.2, 10.3))
    turn = Turn(0.1, lambda: next(times))
    assert (turn.is_over(), turn.is_over(), turn.is_over()) == (False, False, True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (turn.is_over(), turn.shed) == (False, 1)
