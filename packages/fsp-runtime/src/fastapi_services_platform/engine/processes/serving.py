"""Serve the platform, with uvicorn unless told otherwise: uvloop and httptools where they are installed, a graceful
end.
"""

import asyncio
import errno
import os
import signal
import socket
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal

import uvicorn

from fastapi_services_platform.config.settings import PlatformSettings, platform_settings
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.processes.granian_server import GranianServer, need_granian, reserve
from fastapi_services_platform.engine.processes.siblings import Siblings
from fastapi_services_platform.engine.processes.workers import Workers, adopt_socket
from fastapi_services_platform.errors import ConfigurationError, PortTaken
from fastapi_services_platform.http.door.request_limits import HEADER_LINE_BYTES
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.resilience.allocator import return_large_blocks
from fastapi_services_platform.resilience.collector import pause_collection, resume_collection

if TYPE_CHECKING:
    from fastapi_services_platform.engine.probing import Probe

ServerName = Literal["uvicorn", "granian"]

_log = get_logger(__name__)
_BACKLOG = 2048
_DOORS = 16
_GRACE_SECONDS = 30
_TICKS_BETWEEN_LOOKS = 10
_LAST_ANSWER = (b"connection", b"close")


class GracefulServer(uvicorn.Server):
    """The first signal turns readiness off, waits for the drain, and lets requests finish; the second ends at once.

    While it drains every answer ends its connection, so that clients and proxies come back elsewhere.

    A server with a ``parent`` ends in the same way when that process is gone, however it went.
    """

    def __init__(
        self, config: uvicorn.Config, probe: "Probe | None", drain_seconds: float, parent: int | None = None
    ) -> None:
        super().__init__(config)
        self._probe = probe
        self._drain = drain_seconds
        self._signals = 0
        self._parent = parent

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second."""
        looks = self._parent is not None and self._signals == 0 and counter % _TICKS_BETWEEN_LOOKS == 0
        if looks and os.getppid() != self._parent:
            _log.error("server.orphaned", parent=self._parent)
            self.handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn: the platform starts, and what it made stays."""
        await super().startup(sockets)
        resume_collection()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn for SIGTERM and SIGINT."""
        self._signals += 1
        if self._signals > 1:
            self.force_exit = self.should_exit = True
            return
        if self._probe is not None:
            self._probe.draining = True
        _log.info("server.draining", signal=signal.Signals(sig).name, seconds=self._drain)
        # Whoever keeps a connection comes back on a new one, elsewhere, before this door closes: a request that is sent
        # on a kept connection in the moment of its end is lost. The list goes into every answer from the next tick on.
        self.config.encoded_headers.append(_LAST_ANSWER)
        self.server_state.default_headers = [*self.server_state.default_headers, _LAST_ANSWER]
        if self._drain > 0:
            loop = asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, self._drain, self._close_door)  # wakes the loop out of its wait
        else:
            self._close_door()

    def _close_door(self) -> None:
        self.should_exit = True


def serve_forever(
    host: str,
    port: int,
    target: str = "",
    *,
    workers: int = 1,
    descriptor: int | None = None,
    siblings: Path | None = None,
    parent: int | None = None,
    server: ServerName = "uvicorn",
) -> int:
    """Serve until told to stop; the exit code is 0, or 3 when the platform did not start.

    With more than one worker this process only supervises them. ``descriptor`` is the socket that a supervisor hands
    over (granian's processes bind the port themselves), ``siblings`` the folder in which its processes find each
    other, ``parent`` its process.

    Raises:
        PortTaken: another process listens there.
        ConfigurationError: the target or a setting is wrong.
    """
    settings = platform_settings()
    if server == "granian":
        need_granian()
    if workers > 1:
        return _supervised(host, port, target, workers, server)
    return_large_blocks()
    pause_collection()
    application = load_target(target, settings)
    platform = getattr(application, "platform", None)
    if siblings is not None and isinstance(platform, Platform):
        platform.siblings = Siblings(siblings)
    probe = getattr(application, "probe", None)
    if server == "granian":
        started = _serve_with_granian(GranianServer(application, probe, settings.drain_seconds, parent), host, port)
    else:
        listening = bind(host, port) if descriptor is None else adopt_socket(descriptor)
        graceful = GracefulServer(server_config(application), probe, settings.drain_seconds, parent)
        graceful.run(sockets=doors(listening))
        started = graceful.started
    if siblings is not None and parent is not None and os.getppid() != parent:
        with suppress(OSError):  # the last one of the orphans leaves an empty folder
            siblings.rmdir()
    return 0 if started else 3


def _supervised(host: str, port: int, target: str, workers: int, server: ServerName) -> int:
    if server == "granian":
        held, free = _reserved(host, port)
        return Workers(held, ("--server", server, "--host", host, "--port", str(free)), workers, target).run()
    listening = bind(host, port)
    return Workers(listening, ("--fd", str(listening.fileno())), workers, target).run()


def _serve_with_granian(server: GranianServer, host: str, port: int) -> bool:
    if server.parent is not None:  # it keeps the port
        server.run(host, port)
        return server.started
    held, free = _reserved(host, port)
    with held:
        server.run(host, free)
    return server.started


def _reserved(host: str, port: int) -> tuple[socket.socket, int]:
    try:
        return reserve(host, port)
    except OSError as error:
        raise _refusal(error, host, port) from None


def server_config(application: Any) -> uvicorn.Config:  # Any: an ASGI application
    """How uvicorn serves a platform: our log, no header of its own, bounded heads, no forwarded header believed."""
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        http=_protocol(),
        h11_max_incomplete_event_size=HEADER_LINE_BYTES,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _protocol() -> "type[asyncio.Protocol] | Literal['h11']":
    if find_spec("httptools") is None:
        return "h11"
    from fastapi_services_platform.engine.processes.bounded_protocol import BoundedHttpProtocol

    return BoundedHttpProtocol


def doors(listening: socket.socket) -> list[socket.socket]:
    """The listening socket several times over: uvloop accepts one connection of each in a turn of the loop.

    Under overload a turn lasts tens of milliseconds; with a single one a probe that connects anew would wait behind
    everybody else who does.
    """
    return [listening, *(listening.dup() for _ in range(_DOORS - 1))]


def load_target(target: str, settings: PlatformSettings | None = None) -> Any:  # Any: an ASGI application
    """The application that ``module:name`` stands for; a function is called. Empty: the platform of the environment,
    with these ``settings`` when they have been read already.

    Raises:
        ConfigurationError: there is no such thing.
    """
    if not target:
        from fastapi_services_platform.engine.app_factory import create_app

        return create_app(settings)
    from fastapi_services_platform.http.fastapi_sharing import lean_declarations

    module, _, name = target.partition(":")
    with lean_declarations():  # capabilities that it imports declare their routes
        try:
            found = getattr(import_module(module), name or "app")
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                f"{target!r} cannot be loaded: {error}.", variable="--app", fix="write module:name."
            ) from None
        return found() if callable(found) and not hasattr(found, "router") else found


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PortTaken: another process has the port.
        ConfigurationError: the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not for one given to it
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _refusal(error, host, port) from None
    listening.set_inheritable(True)
    return listening


def _refusal(error: OSError, host: str, port: int) -> PortTaken | ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(host, port)
    problem = f"cannot listen on {host}:{port}: {error.strerror}."
    return ConfigurationError(problem, variable="--host", fix="choose an address of this machine.")
