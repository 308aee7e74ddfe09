"""Between the signal and the closed door every answer sends its caller to another connection."""

import asyncio
import signal

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from fastapi_services_platform.engine.processes.serving import GracefulServer, bind, server_config


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Says hello; it has nothing to start."""
    assert scope["type"] == "http"
    await PlainTextResponse("hello")(scope, receive, send)


async def test_while_it_drains_each_answer_ends_its_connection() -> None:
    """A kept connection is used until then, and never again after, so that no request meets its end."""
    server = GracefulServer(server_config(application), None, drain_seconds=3600)
    listening = bind("127.0.0.1", 0)
    port = listening.getsockname()[1]
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        before = await client.get("/")
        server.handle_exit(signal.SIGTERM, None)
        during = await client.get("/")
        for _ in range(2):  # the headers of every answer are made anew once a second
            await server.on_tick(0)
        later = await client.get("/")
    server.handle_exit(signal.SIGTERM, None)
    await serving
    assert [item.headers.get("connection") for item in (before, during, later)] == [None, "close", "close"]
    assert {item.text for item in (before, during, later)} == {"hello"}
