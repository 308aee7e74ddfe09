"""The hub as a capability."""

from fastapi_services_platform.capability.contribution import (
    Contribution,
    MenuEntry,
    Migrations,
    ProblemMapping,
    RouterMount,
    Service,
    StaticFolder,
    TemplateFolder,
    Tier,
)
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.http.pages import PageParts, Pages
from fastapi_services_platform.hub import api, operations, ui
from fastapi_services_platform.hub.audit.chain import HashChainTrail
from fastapi_services_platform.hub.audit.tables import metadata
from fastapi_services_platform.hub.log_levels import LogLevels, UnknownLogLevel
from fastapi_services_platform.hub.overview import Overview
from fastapi_services_platform.hub.permissions import AUDIT_EVENTS, BUNDLES, PERMISSIONS
from fastapi_services_platform.hub.reference import page as reference_page
from fastapi_services_platform.observability.audit import AuditFailed, DefaultAuditTrail
from fastapi_services_platform.security.ports import Authorizer

_PACKAGE = "fastapi_services_platform.hub"


class Hub:
    """Pages for everybody, pages for operators, the platform API, and the default audit trail."""

    manifest = Manifest("hub", "2.0.0", "The platform's own pages and interface.", database=True)

    async def initialize(self, platform: Platform) -> Contribution:
        """Wire the hub."""
        self._platform = platform
        return Contribution(
            routers=(
                RouterMount("api", api.router, Tier.PLATFORM_API, "/platform/api/v1"),
                RouterMount("operations", operations.router, Tier.PLATFORM_UI, "/platform"),
                RouterMount("reference", reference_page.router, Tier.PLATFORM_UI, "/platform"),
                RouterMount("ui", ui.router, Tier.PLATFORM_UI),
            ),
            permissions=PERMISSIONS,
            bundles=BUNDLES,
            services=(
                Service(Pages, lambda _scope: Pages(self._parts)),
                Service(Overview, lambda _scope: Overview(platform)),
                Service(LogLevels, lambda _scope: LogLevels(platform.audit)),
                Service(HashChainTrail, lambda _scope: HashChainTrail(platform.database("hub"))),
                Service(DefaultAuditTrail, lambda _scope: HashChainTrail(platform.database("hub"))),
            ),
            templates=(TemplateFolder(_PACKAGE),),
            static=(StaticFolder(_PACKAGE),),
            menu=(MenuEntry("Platform", "/platform", "platform.capabilities.read", order=900, icon="platform"),),
            migrations=Migrations(f"{_PACKAGE}.migrations", metadata),
            problems=(
                ProblemMapping(AuditFailed, 503, "audit-unavailable", "The audit trail is not available"),
                ProblemMapping(UnknownLogLevel, 422, "unknown-log-level", "No such log level"),
            ),
            audit_events=AUDIT_EVENTS,
        )

    async def startup(self) -> None:
        """Read templates and public files of every capability."""
        await (await self._platform.container.get(Pages)).open()

    async def _parts(self) -> PageParts:
        inventory, container = self._platform.inventory, self._platform.container
        return PageParts(
            site=self._platform.settings.name,
            templates=inventory.templates,
            static=inventory.static,
            menu=inventory.menu,
            authorizer=await container.get(Authorizer) if Authorizer in container else None,
            entry_page=inventory.entry_page,
            paths=frozenset(entry.path for entry in inventory.routes),
            environment=self._platform.settings.environment,
        )
