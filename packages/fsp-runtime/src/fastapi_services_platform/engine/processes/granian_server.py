"""Serve the platform with granian (HTTP in Rust) instead of uvicorn: `fsp run --server granian`, extra ``granian``.

It runs in this process on this loop, so the first signal turns readiness off, as with uvicorn. Each process binds the
port for itself (SO_REUSEPORT) and the system spreads connections over them. HTTP heads are bounded by granian, not by
our protocol: an oversize head ends the connection without a problem document.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.door.request_limits import HEADER_LINE_BYTES
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.resilience.collector import resume_collection

if TYPE_CHECKING:
    from fastapi_services_platform.engine.probing import Probe

Scope = MutableMapping[str, Any]  # Any: as ASGI has it
Message = MutableMapping[str, Any]  # Any: as above
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = get_logger(__name__)
_BACKLOG = 2048
_GRACE_SECONDS = 30.0
_HEAD_MILLISECONDS = 30_000
_BUFFER_BYTES = 8 * HEADER_LINE_BYTES
_PARENT_SECONDS = 1.0


class GranianServer:
    """Serves an application until the first signal, a second one, or the end of its parent."""

    def __init__(
        self, application: Application, probe: "Probe | None", drain_seconds: float, parent: int | None = None
    ) -> None:
        self.started = False
        self._application = application
        self._probe = probe
        self._drain = drain_seconds
        self.parent = parent
        self._ending: asyncio.Event | None = None
        self._signals = 0

    def run(self, host: str, port: int) -> None:
        """Serve, on uvloop where it is installed.

        Raises:
            ConfigurationError: granian is not installed.
        """
        need_granian()
        factory: Any = None  # Any: a factory of event loops; uvloop has no types here
        if find_spec("uvloop"):
            import uvloop

            factory = uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self._serve(host, port))

    async def _serve(self, host: str, port: int) -> None:
        from granian.constants import Interfaces
        from granian.http import HTTP1Settings
        from granian.server.embed import Server

        server = Server(
            self._watched,
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            backlog=_BACKLOG,
            log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=_HEAD_MILLISECONDS, max_buffer_size=_BUFFER_BYTES),
        )
        self._ending, loop = asyncio.Event(), asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._told, sign)
        serving = asyncio.create_task(server.serve(), name="granian")
        watching = asyncio.create_task(self._watch_parent(), name="watch parent")
        ended = asyncio.create_task(self._ending.wait(), name="end of serving")
        await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
        server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped
        with suppress(TimeoutError):
            await asyncio.wait_for(serving, _GRACE_SECONDS)
        watching.cancel()
        ended.cancel()

    def _told(self, sign: signal.Signals) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(1)  # what is under way was given its time
        if self._probe is not None:
            self._probe.draining = True
        _log.info("server.draining", signal=sign.name, seconds=self._drain)
        if self._ending is not None:
            asyncio.get_running_loop().call_later(self._drain, self._ending.set)

    async def _watch_parent(self) -> None:
        while self.parent is not None:
            await asyncio.sleep(_PARENT_SECONDS)
            if os.getppid() != self.parent and self._signals == 0:
                _log.error("server.orphaned", parent=self.parent)
                self._told(signal.SIGTERM)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            for side in ("client", "server"):
                scope[side] = _address(scope.get(side))
            await self._application(scope, receive, send)
            return

        async def note(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.started = True
                resume_collection()
            elif message["type"].endswith(".failed"):
                _log.error("server.failed", step=message["type"], problem=message.get("message", ""))
            await send(message)

        await self._application(scope, receive, note)


def need_granian() -> None:
    """Whether granian can be used here.

    Raises:
        ConfigurationError: it is not installed.
    """
    if find_spec("granian") is None:
        raise ConfigurationError(
            "granian is not installed.", variable="--server", fix="install fastapi-services-platform[granian]."
        )


def reserve(host: str, port: int) -> tuple[socket.socket, int]:
    """A socket that keeps a port for processes which bind it with SO_REUSEPORT, and its number; it hears nothing.

    Raises:
        OSError: somebody listens there, or the address is not one of this machine.
    """
    with socket.socket(_family(host), socket.SOCK_STREAM) as probe:  # without REUSEPORT: whoever has it is found
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        free: int = probe.getsockname()[1]
    kept = socket.socket(_family(host), socket.SOCK_STREAM)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    kept.bind((host, free))
    return kept, free


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _address(given: Any) -> tuple[str, int] | None:  # Any: granian writes the port as text, ASGI as a number
    return (str(given[0]), int(given[1])) if given else None
