"""create_app: settings in, FastAPI out. Nothing works before the lifespan does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fastapi_services_platform.capability.manifest import Capability
from fastapi_services_platform.config.files import read_configuration
from fastapi_services_platform.config.settings import PlatformSettings, platform_settings
from fastapi_services_platform.engine.assembly import Assembly
from fastapi_services_platform.engine.lifespan import Lifespan
from fastapi_services_platform.engine.openapi import completed
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.plugin_loader import find_capabilities, runtime_version
from fastapi_services_platform.engine.probing import Probe
from fastapi_services_platform.errors import ConfigurationError, PlatformError
from fastapi_services_platform.http.door.log_context import exchange_fields
from fastapi_services_platform.http.edge import Edge
from fastapi_services_platform.http.fastapi_seams import complete
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.http.probes import json_bytes
from fastapi_services_platform.http.probes import router as probes
from fastapi_services_platform.observability.logger_factory import configure_logging, get_logger
from fastapi_services_platform.observability.tracing.setup import start_tracing
from fastapi_services_platform.resilience.pools import blocking, pool

_log = get_logger(__name__)


class PlatformApp(FastAPI):
    """A FastAPI application whose requests all go through the fused edge.

    ``platform``, ``assembly``, ``edge`` and ``probe`` are the parts that the command line and the testing kit need.
    """

    platform: Platform
    assembly: Assembly
    edge: Edge
    probe: Probe

    def __init__(self, **options: Any) -> None:  # Any: FastAPI's own parameters
        super().__init__(**options)
        self._documenting = Lock()

    def add_middleware(self, middleware_class: Any, *args: Any, **kwargs: Any) -> None:  # Any: Starlette's signature
        """Refused: everything between the server and an endpoint is one layer, and no other would be built.

        Raises:
            ConfigurationError: always.
        """
        name = getattr(middleware_class, "__name__", str(middleware_class))
        raise ConfigurationError(
            f"the middleware {name} would not run.",
            fix="mount an application of your own that has it, or contribute a service, an authenticator or a job.",
        )

    def openapi(self) -> dict[str, Any]:  # Any: FastAPI's own type of the document
        """The document of all capabilities, with what the platform answers for them; built once."""
        with self._documenting:
            if self.openapi_schema is None:
                inventory = self.platform.inventory
                problems = {item.name: item.contribution.problems for item in inventory.capabilities}
                complete(self.router.routes)
                self.openapi_schema = completed(
                    super().openapi(), inventory.routes, problems, self.assembly.operation_ids
                )
            return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; FastAPI's own middleware stack is not built."""
        if scope["type"] == "lifespan":
            scope["app"] = self
            await self._live(receive, send)
        else:
            await self.edge(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        started = False
        try:
            async with self.router.lifespan_context(self):
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except PlatformError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        except BaseException as error:
            kind = "lifespan.shutdown.failed" if started else "lifespan.startup.failed"
            await send({"type": kind, "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def create_app(
    settings: PlatformSettings | None = None, *, capabilities: Sequence[Capability] | None = None
) -> FastAPI:
    """Build the application of a platform.

    ``capabilities`` replaces the discovery of installed wheels (the hub is added). All work happens in the lifespan.

    Raises:
        ConfigurationError: a setting or a configuration file is wrong.
    """
    used = settings or platform_settings()
    configuration = read_configuration(used.config_dir)
    app = PlatformApp(
        title=used.name,
        version=runtime_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    platform = Platform(used)
    platform.flags.load()
    platform.clients.configured = configuration.settings.terms_of_upstreams()
    probe = Probe(platform)
    app.platform = platform
    app.probe = probe
    app.edge = Edge(app, app.router, used, platform.container)
    platform.container.register_value(Edge, app.edge)
    app.router.include_router(probes)
    _add_openapi(app, configuration.settings.documentation.openapi)
    app.assembly = Assembly(app, platform, configuration)
    app.state.capabilities = capabilities
    app.state.platform = platform
    return app


@asynccontextmanager
async def _lifespan(app: Any) -> AsyncIterator[None]:  # Any: Starlette passes the application as such
    configure_logging(app.platform.settings, exchange_fields)
    pool.resize(app.platform.settings.blocking_threads)
    lifespan = Lifespan(app.assembly, app.edge)
    app.edge.tracing, end_tracing = start_tracing(app.platform.settings, runtime_version())
    try:
        app.edge.index = await app.assembly.assemble(find_capabilities(app.state.capabilities))
        await lifespan.start()
    except BaseException:
        await asyncio.to_thread(end_tracing)
        raise
    _log.info("platform.started", capabilities=[item.name for item in app.platform.inventory.capabilities])
    try:
        yield
    finally:
        await lifespan.stop()
        await asyncio.to_thread(end_tracing)


def _add_openapi(app: PlatformApp, audience: str) -> None:
    if audience == "off":
        return
    declare = access(public=True) if audience == "public" else access(authenticated=True)

    @app.get("/openapi.json", include_in_schema=False)
    @declare
    async def openapi(request: Request) -> Response:  # through the request: FastAPI remembers what is closed over
        return json_bytes(await blocking(request.app.openapi))
