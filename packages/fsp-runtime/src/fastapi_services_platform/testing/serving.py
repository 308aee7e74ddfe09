"""A real server on a free port, in a thread of this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from fastapi_services_platform.engine.processes.serving import bind, server_config

_START_SECONDS = 30.0


@contextmanager
def serve(app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an app over real HTTP while the block runs; gives its base URL.

    Raises:
        RuntimeError: the app did not start; the log tells why.
    """
    import uvicorn

    listening = bind(host, port)
    port = listening.getsockname()[1]
    server = uvicorn.Server(server_config(app))
    decided = threading.Event()

    async def main() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        decided.set()
        await serving
        for connection in list(server.server_state.connections):  # taken in while the server was already closing
            connection.transport.abort()
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="fsp-test-server", daemon=True)
    thread.start()
    try:
        if not decided.wait(_START_SECONDS) or not server.started:
            raise RuntimeError("the app did not start")
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS)
        listening.close()
