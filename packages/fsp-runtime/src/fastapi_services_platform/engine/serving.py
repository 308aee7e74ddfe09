"""Serve the platform with uvicorn: one process, uvloop and httptools where they are installed."""

import socket
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi_services_platform.config.settings import platform_settings
from fastapi_services_platform.errors import ConfigurationError, PortTaken
from fastapi_services_platform.http.request_limits import HEADER_LINE_BYTES

_BACKLOG = 2048


def serve_forever(host: str, port: int, target: str = "") -> int:
    """Serve until told to stop; the exit code is 0, or 3 when the platform did not start.

    Raises:
        PortTaken: another process listens there.
        ConfigurationError: the target or a setting is wrong.
    """
    import uvicorn

    settings = platform_settings()
    application = load_target(target)
    listening = bind(host, port)
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        http="httptools" if find_spec("httptools") else "h11",
        h11_max_incomplete_event_size=HEADER_LINE_BYTES,
        timeout_graceful_shutdown=int(settings.shutdown_timeout),
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    return 0 if server.started else 3


def load_target(target: str) -> Any:  # Any: an ASGI application
    """The application that ``module:name`` stands for; a function is called. Empty: the platform of the environment.

    Raises:
        ConfigurationError: there is no such thing.
    """
    if not target:
        from fastapi_services_platform.engine.app_factory import create_app

        return create_app()
    module, _, name = target.partition(":")
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
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == 98:
            raise PortTaken(host, port) from None
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}.",
            variable="--host",
            fix="choose an address of this machine.",
        ) from None
    listening.set_inheritable(True)
    return listening
