"""Overload and the end of a server: what is turned away, what is still answered."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from fastapi_services_platform import RouterMount, Tier, access, create_app
from fastapi_services_platform.http.door.shedding import Turn
from fastapi_services_platform.testing import serve, started_app
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


async def test_a_capability_that_hangs_leaves_places_for_the_others(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """It takes at most three quarters; then it is refused and the others are not."""
    stuck, gate, well = APIRouter(), asyncio.Event(), APIRouter()

    @stuck.get("/stuck")
    @access(public=True)
    async def hang() -> dict[str, str]:
        await gate.wait()
        return {"stuck": "no more"}

    @well.get("/well")
    @access(public=True)
    async def answer() -> dict[str, str]:
        return {"well": "yes"}

    capabilities = [
        sample("stuck", routers=(RouterMount("api", stuck, Tier.API),)),
        sample("well", routers=(RouterMount("api", well, Tier.API),)),
    ]
    settings = settings_for(tmp_path, max_concurrent_requests=4)
    async with started_app(settings=settings, capabilities=capabilities) as client:
        waiting = [asyncio.create_task(client.get("/stuck")) for _ in range(3)]
        edge = client._transport.app.edge  # type: ignore[attr-defined]  # the kit's own transport
        while edge.lane.under_way < 3:
            await asyncio.sleep(0.01)
        shed = await client.get("/stuck")
        others = [(await client.get("/well")).status_code for _ in range(5)]
        gate.set()
        answers = [(await task).status_code for task in waiting]
    assert (shed.status_code, others, answers) == (503, [200] * 5, [200] * 3)


async def test_a_tier_may_have_fewer_places(tmp_path: Path, sample: Callable[..., Any]) -> None:
    """Pages have two of the places here: the third page is turned away, and the API beside them is not."""
    api, pages, gate = APIRouter(), APIRouter(), asyncio.Event()

    @pages.get("/page/{number}")
    @access(public=True)
    async def page(number: int) -> dict[str, int]:
        await gate.wait()
        return {"page": number}

    @api.get("/api")
    @access(public=True)
    async def answer() -> dict[str, str]:
        return {"api": "yes"}

    capabilities = [
        sample("site", routers=(RouterMount("pages", pages, Tier.UI),)),
        sample("shop", routers=(RouterMount("api", api, Tier.API), RouterMount("more", _other(pages), Tier.UI))),
    ]
    config = tmp_path / "config"
    config.mkdir()
    (config / "router_factory_settings.yaml").write_text("tiers: {ui: {max_concurrent_requests: 2}}\n")
    async with started_app(
        settings=settings_for(tmp_path, config_dir=config, max_concurrent_requests=40), capabilities=capabilities
    ) as client:
        edge = client._transport.app.edge  # type: ignore[attr-defined]  # the kit's own transport
        waiting = [asyncio.create_task(client.get(path)) for path in ("/page/1", "/other/2")]
        while edge.lane.under_way < 2:
            await asyncio.sleep(0.01)
        shed = [(await client.get(path)).status_code for path in ("/page/3", "/other/4")]
        beside = (await client.get("/api")).status_code
        gate.set()
        answers = [(await task).status_code for task in waiting]
        after = (await client.get("/page/5")).status_code
    assert (shed, beside, answers, after) == ([503, 503], 200, [200, 200], 200)


def _other(pages: APIRouter) -> APIRouter:
    """The same page of another capability."""
    router = APIRouter()
    router.add_api_route("/other/{number}", pages.routes[0].endpoint)  # type: ignore[attr-defined]  # an APIRoute
    return router


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


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Although a request is still being answered, and would be for ever."""
    (tmp_path / "stuck.py").write_text(APP.replace("asyncio.sleep(1.0)", "asyncio.Event().wait()"))
    environment = {**os.environ, "FSP_DATA_DIR": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    port = _free_port()
    arguments = [sys.executable, "-m", "fastapi_services_platform.cli", "run", "--app", "stuck:make"]
    arguments += ["--port", str(port)]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        _wait_for(f"http://127.0.0.1:{port}/health/ready")
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert server.stdout is not None
            assert server.stdout.readline() == b"working\n"
            server.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(1)
            server.send_signal(signal.SIGTERM)
            server.wait(20)
            assert b"done" not in connection.recv(1000)


def _free_port() -> int:
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


class Clock:
    """CPU time and time of day, moved by hand."""

    def __init__(self) -> None:
        self.cpu = 10.0
        self.day = 0.0

    def turn(self, longest: float) -> Turn:
        return Turn(longest, lambda: self.cpu, lambda: self.day)


async def next_turn() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def learnt(clock: Clock, turn: Turn, seconds: float) -> None:
    """Let a request cost so much for a while."""
    for _ in range(50):
        turn.is_over(False)
        clock.cpu += seconds
        await next_turn()


async def test_a_turn_of_the_loop_that_takes_too_long_sheds_what_is_behind() -> None:
    """Work that never waits fills no lane; its place in the turn decides, and the next turn begins anew."""
    clock = Clock()
    turn = clock.turn(0.2)
    await learnt(clock, turn, 0.5)
    assert [turn.is_over(False) for _ in range(20)] == [False] * 20
    clock.cpu += 0.3
    assert [turn.is_over(False) for _ in range(4)] == [False, False, True, True]
    assert turn.is_over(True) is False
    await next_turn()
    assert (turn.is_over(False), turn.shed) == (False, 2)


async def test_a_few_requests_are_never_too_many() -> None:
    """However much each of them costs: a lightly loaded server turns nobody away."""
    clock = Clock()
    turn = clock.turn(0.05)
    for _ in range(100):
        for _ in range(10):
            clock.cpu += 3.0
            assert turn.is_over(False) is False
        turn.waiting = 15
        assert turn.takes() is True
        await next_turn()
    assert (turn.shed, turn.cost > 1.0) == (0, True)


async def test_what_waits_times_what_it_costs_decides() -> None:
    """A request that would wait longer than the limit is refused as it arrives, once the credit for bursts is used."""
    clock = Clock()
    turn = clock.turn(0.1)
    await learnt(clock, turn, 0.002)
    turn.waiting = 49
    assert [turn.takes() for _ in range(1000)] == [True] * 1000
    turn.waiting = 60
    taken = [turn.takes() for _ in range(400)]
    assert 245 <= taken.count(True) <= 255
    assert (taken[-1], turn.shed) == (False, taken.count(False))


async def test_a_burst_is_no_overload() -> None:
    """What waits may be five times the limit for once, and again ten seconds later; not all the time."""
    clock = Clock()
    turn = clock.turn(0.1)
    await learnt(clock, turn, 0.005)
    bursts = []
    for _ in range(3):
        clock.day += 10.0
        bursts.append(0)
        for turn.waiting in range(100):
            bursts[-1] += turn.takes()
    assert bursts == [100, 100, 100]
    turn.waiting = 90
    assert [turn.takes() for _ in range(30)].count(True) < 25


async def test_what_was_taken_begins_little_by_little() -> None:
    """A tenth of the limit begins in a turn, in order; between turns the loop is free, and an own route passes by."""
    clock = Clock()
    turn = clock.turn(0.1)
    await learnt(clock, turn, 0.004)
    begun: list[int] = []

    def begin(number: int) -> None:
        begun.append(number)
        asyncio.get_running_loop().call_soon(ended)

    def ended() -> None:
        turn.waiting -= 1

    for number in range(10):
        turn.admit(partial(begin, number), at_once=False)
    assert (begun, turn.waiting, turn.is_crowded) == ([0, 1, 2], 10, True)
    turn.admit(partial(begin, 99), at_once=True)
    assert begun == [0, 1, 2, 99]
    seen = []
    while turn.waiting:
        seen.append(len(begun))
        await asyncio.sleep(0)
    assert begun == [0, 1, 2, 99, 3, 4, 5, 6, 7, 8, 9]
    assert max(after - before for before, after in pairwise(seen)) <= 3
    assert turn.is_crowded is False


async def test_a_request_dearer_than_a_turn_begins_all_the_same() -> None:
    """One of them in each turn."""
    clock = Clock()
    turn = clock.turn(0.05)
    await learnt(clock, turn, 3.0)
    begun: list[int] = []

    def begin(number: int) -> None:
        begun.append(number)
        turn.waiting -= 1

    for number in range(3):
        turn.admit(partial(begin, number), at_once=False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert begun == [0, 1, 2]


@pytest.fixture
def crowded(tmp_path: Path, sample: Callable[..., Any]) -> Iterator[tuple[str, int]]:
    """A server whose only place is taken."""
    router = APIRouter()

    @router.api_route("/work", methods=["GET", "HEAD", "POST"])
    @access(public=True)
    async def work() -> dict[str, str]:
        return {"work": "done"}

    app = create_app(
        settings_for(tmp_path, max_concurrent_requests=1),
        capabilities=[sample(routers=(RouterMount("api", router, Tier.API),))],
    )
    with serve(app) as url:
        app.edge.lane.enter()  # type: ignore[attr-defined]  # the platform's own application
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def _exchange(connection: socket.socket, request: str) -> tuple[bytes, bytes]:
    connection.sendall(request.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length and not request.startswith("HEAD"):
        body += connection.recv(65536)
    return head, body


def test_the_server_itself_refuses_with_a_whole_answer(crowded: tuple[str, int]) -> None:
    """A problem with correlation id, Retry-After and the strict headers; the connection stays; probes are answered."""
    with socket.create_connection(crowded, 10) as connection:
        for _ in range(2):
            head, body = _exchange(
                connection, "GET /work HTTP/1.1\r\nHost: localhost\r\nX-Correlation-ID: my-own-id-1\r\n\r\n"
            )
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"\r\nretry-after: 1\r\n" in head
            assert b"content-security-policy: default-src 'none'" in head
            assert b"x-correlation-id: my-own-id-1" in head
            problem = json.loads(body)
            assert (problem["status"], problem["correlation_id"]) == (503, "my-own-id-1")
            assert problem["type"].endswith("/problems/platform/overloaded")
        alive, _ = _exchange(connection, "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert alive.startswith(b"HTTP/1.1 200")


def test_the_refusal_fits_the_request(crowded: tuple[str, int]) -> None:
    """HEAD has no body, a browser gets a page, and a request with a body loses its connection."""
    with socket.create_connection(crowded, 10) as connection:
        head, body = _exchange(connection, "HEAD /work HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (head[:12], body) == (b"HTTP/1.1 503", b"")
        head, body = _exchange(connection, "GET /work HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
        assert b"text/html" in head
        assert b"<h1>Too much to do</h1>" in body
        head, _ = _exchange(connection, "POST /work HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345")
        assert b"connection: close" in head
        assert connection.recv(100) == b""
