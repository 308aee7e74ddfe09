"""From found wheels to a mounted app: everything that opens nothing, so that ``fsp list`` can do it too."""

from collections.abc import Sequence

from fastapi import FastAPI

from fastapi_services_platform.capability.discovery import Found
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.config.files import Configuration, OperationIds, check_capability_names
from fastapi_services_platform.engine.contributed import check_tools
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.plugin_loader import PluginLoader, runtime_version
from fastapi_services_platform.engine.router_factory import RouterFactory, entry_of, unknown_permissions
from fastapi_services_platform.errors import InvalidContribution
from fastapi_services_platform.http.fastapi_seams import flatten
from fastapi_services_platform.http.routing import RouteEntry, RouteIndex, RouteTerms
from fastapi_services_platform.observability.logger_factory import get_logger

_log = get_logger(__name__)

PLATFORM = "platform"


class Assembly:
    """The steps before the start, and the state that they leave: the inventory and the route index."""

    def __init__(self, app: FastAPI, platform: Platform, configuration: Configuration) -> None:
        self.app = app
        self.platform = platform
        self.factory = RouterFactory(configuration, platform.settings.environment)
        self.loader = PluginLoader(platform, configuration.features.in_environment(platform.settings.environment))
        self._configuration = configuration
        self._own = LoadedCapability(
            Manifest(PLATFORM, runtime_version(), "The platform itself"), None, state="running"
        )
        self._own_routes = len(app.router.routes)

    @property
    def operation_ids(self) -> OperationIds:
        """How operations are named in the OpenAPI document."""
        return self._configuration.settings.operation_ids

    async def assemble(self, found: Sequence[Found]) -> RouteIndex:
        """Select, order, initialize and mount.

        Raises:
            PlatformError: something that the start may not survive; it names the cause and the fix.
        """
        check_capability_names(self._configuration, [entry.name for entry in found])
        self.platform.inventory.capabilities = self.loader.select(found)
        for loaded in self.platform.inventory.capabilities:
            if loaded.state == "found":
                await self.loader.initialize(loaded)
        return self.mount()

    def mount(self) -> RouteIndex:
        """Mount every router that is on, over what was mounted before, and index the routes.

        Raises:
            CapabilityError: a route declares nothing, is claimed twice, or asks for an unknown permission.
        """
        router = self.app.router
        del router.routes[self._own_routes :]
        router._mark_routes_changed()
        self.app.openapi_schema = None
        inventory = self.platform.inventory
        own = [entry_of(flat, self._own, PLATFORM, RouteTerms(own_lane=True)) for flat in flatten(router.routes)]
        entries = self.factory.mount(self.app, self.factory.mountings(inventory.active()), own)
        self._check_permissions(entries)
        inventory.routes = tuple(entries)
        check_tools(inventory)
        self.app.openapi_schema = None
        return RouteIndex(entries)

    def _check_permissions(self, entries: Sequence[RouteEntry]) -> None:
        known = {permission.name for permission in self.platform.inventory.permissions}
        for entry, access in unknown_permissions(entries, known):
            raise InvalidContribution(
                entry.owner.name,
                f"route {entry.path} asks for the permission {access.permission!r}, which no capability contributes.",
                "contribute the Permission, or correct its name.",
            )
