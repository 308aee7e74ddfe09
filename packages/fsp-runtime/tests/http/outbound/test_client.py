"""Clients against servers that misbehave over loopback: slow, resetting, busy, half-open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import httpx2
import pytest

from fastapi_services_platform.http.outbound.client import Client
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.http.outbound.policy import OutboundPolicy
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.resilience.bulkhead import BulkheadFull
from fastapi_services_platform.resilience.circuit_breaker import CircuitOpen

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
LATER = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"

Script = Callable[[int], "bytes | str"]


class Upstream:
    """Answers the n-th request with what a script says: bytes, ``reset``, ``hang``, ``cut`` in the middle, or ``leave``
    after the answer.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests = 0
        self.at_once = 0
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.url = ""
        self.open: dict[asyncio.Task[object], asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open[task] = writer
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.requests += 1
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                answer = self.script(self.requests)
                if answer == "cut":
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                    await writer.drain()
                    return
                if answer == "leave":
                    writer.write(OK)
                    await writer.drain()
                    return
                if answer == "hang":
                    await self.gate.wait()
                    answer = OK
                self.at_once -= 1
                if answer == "reset" or isinstance(answer, str):
                    writer.transport.abort()
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[Upstream]:
    made = Upstream(script)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        made.gate.set()
        server.close()
        for writer in made.open.values():
            writer.close()
        await asyncio.gather(*made.open, return_exceptions=True)


@asynccontextmanager
async def client_of(url: str, **settings: float) -> AsyncIterator[Client]:
    values = {"attempt_seconds": 0.3, "rest_seconds": 0.2, **settings}
    client = Client("upstream", ClientSettings(url, **values))  # type: ignore[arg-type]  # numbers for number fields
    client.retry.first_pause = 0.01
    try:
        yield client
    finally:
        await client.close()


async def test_a_busy_answer_and_a_reset_are_mended_by_repeating() -> None:
    """503 with Retry-After, then a reset connection, then the answer."""
    answers: dict[int, bytes | str] = {1: BUSY, 2: "reset"}
    async with upstream(lambda n: answers.get(n, OK)) as server, client_of(server.url) as client:
        assert (await client.get("/")).text == "ok"
        assert (server.requests, client.retry.retries) == (3, 2)


async def test_half_an_answer_and_a_connection_that_was_left_are_mended() -> None:
    """A body that ends too soon is no answer; a kept connection that the upstream closed is not used again."""
    answers: dict[int, bytes | str] = {1: "leave", 2: "cut", 3: "leave"}
    async with upstream(lambda n: answers.get(n, OK)) as server, client_of(server.url) as client:
        assert [(await client.get("/")).text for _ in range(3)] == ["ok"] * 3
        assert (server.requests, client.retry.retries) == (4, 1)


async def test_a_port_where_nobody_listens_opens_the_breaker() -> None:
    """Refused connections are failures like others."""
    async with client_of("http://127.0.0.1:1", attempts=1) as client:
        for _ in range(5):
            with pytest.raises(httpx2.ConnectError):
                await client.get("/")
        with pytest.raises(CircuitOpen):
            await client.get("/")


async def test_the_pause_that_the_upstream_asks_for_is_kept() -> None:
    """Retry-After: 1 is a second."""
    async with upstream(lambda n: LATER if n == 1 else OK) as server, client_of(server.url) as client:
        begun = monotonic()
        await client.get("/")
        assert 1.0 <= monotonic() - begun < 2.0


async def test_what_is_not_idempotent_is_sent_once() -> None:
    """A POST that met a busy upstream is not repeated; its answer is given as it is."""
    async with upstream(lambda _: BUSY) as server, client_of(server.url) as client:
        assert (await client.request("POST", "/")).status_code == 503
        assert server.requests == 1


async def test_a_slow_upstream_ends_in_a_time_out() -> None:
    """Every attempt has its own limit; the last failure is raised."""
    async with upstream(lambda _: "hang") as server, client_of(server.url, attempts=2) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get("/")
        assert server.requests == 2


async def test_the_total_time_ends_everything() -> None:
    """However many attempts are left."""
    async with upstream(lambda _: "hang") as server, client_of(server.url, attempts=9, total_seconds=0.5) as client:
        begun = monotonic()
        with pytest.raises((TimeoutError, httpx2.ReadTimeout)):
            await client.get("/")
        assert monotonic() - begun < 1.0


async def test_the_breaker_opens_probes_and_closes() -> None:
    """After enough failures calls fail at once; one probe later it is closed again."""
    working = False
    async with upstream(lambda _: OK if working else "reset") as server, client_of(server.url, attempts=1) as client:
        for _ in range(5):
            with pytest.raises(httpx2.TransportError):
                await client.get("/")
        made = server.requests
        with pytest.raises(CircuitOpen):
            await client.get("/")
        assert (client.breaker.state, server.requests) == ("open", made)
        assert (await client.check()).status == "degraded"
        working = True
        await asyncio.sleep(0.25)
        assert (await client.get("/")).text == "ok"
        assert client.breaker.state == "closed"


async def test_a_failed_probe_opens_again_and_only_one_is_sent() -> None:
    """Half-open lets a single call through."""
    async with upstream(lambda n: "reset" if n <= 5 else "hang") as server, client_of(server.url, attempts=1) as client:
        for _ in range(5):
            with pytest.raises(httpx2.TransportError):
                await client.get("/")
        await asyncio.sleep(0.25)
        results = await asyncio.gather(*(client.get("/") for _ in range(10)), return_exceptions=True)
        kinds = sorted(type(result).__name__ for result in results)
        assert kinds == ["CircuitOpen"] * 9 + ["ReadTimeout"]
        assert client.breaker.state == "open"


async def test_a_bulkhead_limits_what_is_under_way() -> None:
    """Two at once, three wait, the sixth is refused."""
    settings = {"connections": 2, "waiting": 3, "attempt_seconds": 5.0}
    async with upstream(lambda _: "hang") as server, client_of(server.url, **settings) as client:
        calls = [asyncio.create_task(client.get("/")) for _ in range(5)]
        while server.at_once < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(BulkheadFull):
            await client.get("/")
        server.gate.set()
        assert [(await call).text for call in calls] == ["ok"] * 5
        assert server.most_at_once == 2


async def test_the_budget_keeps_retries_a_share_of_calls() -> None:
    """A hundred failing calls do not become three hundred."""
    settings = {"rest_seconds": 0.0}
    async with upstream(lambda _: BUSY) as server, client_of(server.url, **settings) as client:
        client.breaker._fewest = 10**9
        for _ in range(100):
            await client.get("/")
        assert 100 < server.requests < 140


async def test_clients_are_pooled_by_name() -> None:
    """One name is one client; connections are kept alive."""
    clients = Clients()
    async with upstream(lambda _: OK) as server:
        one = clients.open("directory", ClientSettings(server.url))
        assert clients.open("directory", ClientSettings(server.url)) is one
        assert [(await one.get("/")).text for _ in range(3)] == ["ok"] * 3
        await clients.close()


async def test_an_attempt_that_drips_ends_too() -> None:
    """The limit is one for the whole attempt, not for each read; the breaker counts it."""
    drip = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"
    async with upstream(lambda _: drip) as server, client_of(server.url, attempts=1) as client:
        for _ in range(5):
            with pytest.raises(httpx2.ReadTimeout):
                await client.get("/")
        assert client.breaker.state == "open"


async def test_calls_are_counted_by_their_end() -> None:
    """What the metrics show."""
    async with upstream(lambda n: OK if n == 1 else "reset") as server, client_of(server.url, attempts=1) as client:
        await client.get("/")
        for _ in range(4):
            with pytest.raises(httpx2.TransportError):
                await client.get("/")
        with pytest.raises(CircuitOpen):
            await client.get("/")
    assert client.calls == {"answered": 1, "failed": 4, "late": 0, "open": 1, "full": 0}
    assert client.seconds > 0


async def test_the_file_of_the_platform_has_the_last_word() -> None:
    """Values that are written there replace those of the code; the others stay."""
    clients = Clients({"directory": {"attempts": 7}})
    client = clients.open("directory", ClientSettings("http://127.0.0.1:9", attempts=2, connections=5))
    assert (client.settings.attempts, client.settings.connections) == (7, 5)
    assert clients.breakers() == {"directory": client.breaker}
    await clients.close()


async def test_a_guarded_client_has_the_platforms_exceptions() -> None:
    """FSP_OUTBOUND_ALLOW is added to what the policy allows; its breakers are named after purpose and host."""
    clients = Clients(allow=("127.0.0.1",))
    guarded = clients.guarded("identity", OutboundPolicy(schemes=("http",), allow=("10.0.0.0/8",)))
    async with upstream(lambda _: OK) as server:
        assert (await guarded.get(server.url)).body == b"ok"
        assert list(clients.breakers()) == [f"identity/{server.url.removeprefix('http://')}"]
        await clients.close()
    assert guarded.policy.allow == ("10.0.0.0/8", "127.0.0.1")
