"""The time of a request: renewed by its body, shortened by its caller, and handed on to upstreams."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Request

from fastapi_services_platform import RouterMount, Tier, access, create_app
from fastapi_services_platform.fastapi import inject
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.testing import serve, started_app
from fastapi_services_platform.testing.started_app import settings_for

YAML = """
capabilities:
  demo:
    routers:
      patient: {request_timeout: 30}
policies:
  once: {attempts: 1, connections: 7}
upstreams:
  echo: {policy: once, connections: 3}
"""


def demo(sample: Callable[..., Any], upstream: str = "") -> Any:
    quick, patient = APIRouter(), APIRouter()

    @quick.get("/wait")
    @access(public=True)
    async def wait() -> None:
        await asyncio.Event().wait()

    @quick.get("/ask")
    @access(public=True)
    async def ask(clients: Annotated[Clients, inject(Clients)]) -> dict[str, str]:
        client = clients.open("echo", ClientSettings(upstream, attempts=5))
        used = f"{client.settings.attempts}/{client.settings.connections}"
        return {"asked": (await client.get("/")).text, "attempts": used}

    @quick.post("/upload")
    @access(public=True)
    async def upload(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @patient.get("/patient")
    @access(public=True)
    async def long() -> dict[str, str]:
        await asyncio.sleep(0.6)
        return {"long": "done"}

    return sample(routers=(RouterMount("quick", quick, Tier.API), RouterMount("patient", patient, Tier.API)))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "router_factory_settings.yaml").write_text(YAML)
    return tmp_path


async def test_a_caller_may_shorten_the_time(config: Path, sample: Callable[..., Any]) -> None:
    """X-Deadline-Ms ends the request early with 504; nonsense and long ones change nothing."""
    settings = settings_for(config, config_dir=config, request_timeout=60)
    async with started_app(settings=settings, capabilities=[demo(sample)]) as client:
        assert (await client.get("/wait", headers={"x-deadline-ms": "50"})).status_code == 504
        for value in ("-1", "1e9", "soon", "9" * 30):
            assert (await client.get("/patient", headers={"x-deadline-ms": value})).status_code == 200


async def test_a_router_may_have_a_time_of_its_own(config: Path, sample: Callable[..., Any]) -> None:
    """request_timeout in router_factory_settings.yaml; the others keep the platform's."""
    settings = settings_for(config, config_dir=config, request_timeout=0.1)
    async with started_app(settings=settings, capabilities=[demo(sample)]) as client:
        assert (await client.get("/patient")).status_code == 200
        assert (await client.get("/wait")).status_code == 504


async def test_what_is_left_is_sent_on_and_bounds_the_call(config: Path, sample: Callable[..., Any]) -> None:
    """The upstream sees the rest of the caller's time; when it is over, so is the call."""
    heads: list[str] = []
    gate = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        if len(heads) > 1:
            await gate.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = settings_for(config, config_dir=config)
    async with started_app(settings=settings, capabilities=[demo(sample, url)]) as client:
        first = await client.get("/ask", headers={"x-deadline-ms": "4000"})
        health = (await client.get("/health")).json()
        late = await client.get("/ask", headers={"x-deadline-ms": "300"})
        gate.set()
    server.close()
    assert first.json() == {"asked": "ok", "attempts": "1/3"}
    left = int(heads[0].split("x-deadline-ms: ")[1].split("\r\n")[0])
    assert 0 < left <= 4000
    assert health["upstreams"]["echo"]["status"] == "healthy"
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (504, "request-timeout")


@pytest.fixture
def served(config: Path, sample: Callable[..., Any]) -> Iterator[tuple[str, int]]:
    settings = settings_for(config, config_dir=config, request_timeout=1.0)
    with serve(create_app(settings, capabilities=[demo(sample)])) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)


def _post(address: tuple[str, int], parts: int, size: int) -> bytes:
    """Send a body in parts, one every 0.3 s, until it is whole or answered."""
    with socket.create_connection(address, 10) as connection:
        head = f"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: {parts * size}\r\n\r\n"
        connection.sendall(head.encode())
        connection.settimeout(0.3)
        for _ in range(parts):
            connection.sendall(b"x" * size)
            try:
                if early := connection.recv(65536):
                    return early
            except TimeoutError:
                continue
        connection.settimeout(10)
        return connection.recv(65536)


def test_a_long_upload_that_moves_is_not_cut_off(served: tuple[str, int]) -> None:
    """It takes longer than the limit of the request, but no pause in it does."""
    assert _post(served, 6, 50_000).startswith(b"HTTP/1.1 200")


def test_an_upload_that_drips_is_cut_off(served: tuple[str, int]) -> None:
    """A byte now and then is no progress."""
    assert _post(served, 20, 1).startswith(b"HTTP/1.1 504")


def test_an_upload_that_stalls_is_cut_off(served: tuple[str, int]) -> None:
    """It moved at full speed until it stopped; the limit counts from there."""
    with socket.create_connection(served, 120) as connection:
        connection.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n\r\n")
        connection.sendall(b"x" * 300_000)
        begun = time.monotonic()
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 504")
    assert time.monotonic() - begun > 0.9
