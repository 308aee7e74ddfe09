"""The hub as a capability."""

from fastapi_services_platform.capability.contribution import (
    Contribution,
    FeatureFlag,
    Job,
    LocaleFolder,
    MenuEntry,
    Migrations,
    ProblemMapping,
    RouterMount,
    StaticFolder,
    TemplateFolder,
    Tier,
)
from fastapi_services_platform.capability.manifest import Manifest
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.hub import api, ui
from fastapi_services_platform.hub.audit.reading import TrailKeptElsewhere
from fastapi_services_platform.hub.container import HubParts
from fastapi_services_platform.hub.events import api as events_api
from fastapi_services_platform.hub.events import pages as events
from fastapi_services_platform.hub.events.dead_letters import UnknownDeadLetter
from fastapi_services_platform.hub.front import search_page as search
from fastapi_services_platform.hub.mcp import endpoint as mcp
from fastapi_services_platform.hub.monitoring import live, metrics_route
from fastapi_services_platform.hub.monitoring.health_history import INTERVAL_SECONDS
from fastapi_services_platform.hub.operations import pages as operations
from fastapi_services_platform.hub.permissions import AUDIT_EVENTS, BUNDLES, PERMISSIONS
from fastapi_services_platform.hub.reference import page as reference
from fastapi_services_platform.hub.switches import pages as switches
from fastapi_services_platform.hub.switches.breakers import UnknownBreaker
from fastapi_services_platform.hub.switches.flags import FlagRefused
from fastapi_services_platform.hub.switches.jobs import UnknownJob
from fastapi_services_platform.hub.switches.log_levels import UnknownLogLevel
from fastapi_services_platform.observability.audit import AuditFailed

_PACKAGE = "fastapi_services_platform.hub"
_PAGES = {"events": events, "live": live, "operations": operations, "switches": switches, "reference": reference}
_PROBLEMS = (
    ProblemMapping(AuditFailed, 503, "audit-unavailable", "The audit trail is not available"),
    ProblemMapping(TrailKeptElsewhere, 501, "trail-kept-elsewhere", "The audit trail is read elsewhere"),
    ProblemMapping(UnknownLogLevel, 422, "unknown-log-level", "No such log level"),
    ProblemMapping(FlagRefused, 422, "flag-refused", "The flag was not changed"),
    ProblemMapping(UnknownDeadLetter, 404, "unknown-dead-letter", "No such dead letter"),
    ProblemMapping(UnknownBreaker, 404, "unknown-breaker", "No such breaker"),
    ProblemMapping(UnknownJob, 404, "unknown-job", "No such job"),
)
_FLAGS = (
    FeatureFlag(
        "platform.components",
        "Shows everybody the page of all components that pages are made of, at /platform/components.",
        owner="platform",
        default=True,
    ),
)


class Hub:
    """Pages for everybody, pages for operators, the platform API, metrics, and the default audit trail."""

    manifest = Manifest(
        "hub", "2.0.0", "The platform's own pages and interface.", optional=("authorizer@1",), database=True
    )

    async def initialize(self, platform: Platform) -> Contribution:
        """Wire the hub."""
        self._parts = parts = HubParts(platform)
        return Contribution(
            routers=(
                RouterMount("api", api.router, Tier.PLATFORM_API, "/platform/api/v1"),
                RouterMount("events-api", events_api.router, Tier.PLATFORM_API, "/platform/api/v1/events"),
                RouterMount("mcp", mcp.router, Tier.PLATFORM_API),
                RouterMount("metrics", metrics_route.router, Tier.PLATFORM_API),
                *(RouterMount(name, part.router, Tier.PLATFORM_UI, "/platform") for name, part in _PAGES.items()),
                RouterMount("search", search.router, Tier.PLATFORM_UI),
                RouterMount("ui", ui.router, Tier.PLATFORM_UI),
            ),
            permissions=PERMISSIONS,
            bundles=BUNDLES,
            services=parts.services(),
            jobs=(Job("health-history", parts.history.look, INTERVAL_SECONDS, everywhere=True),),
            templates=(TemplateFolder(_PACKAGE),),
            static=(StaticFolder(_PACKAGE),),
            locales=(LocaleFolder(_PACKAGE),),
            menu=(
                MenuEntry(
                    "Platform",
                    "/platform",
                    "platform.capabilities.read",
                    order=900,
                    icon="platform",
                    section="Platform",
                ),
            ),
            flags=_FLAGS,
            migrations=Migrations(f"{_PACKAGE}.migrations", _metadata),
            problems=_PROBLEMS,
            audit_events=AUDIT_EVENTS,
        )

    async def startup(self) -> None:
        """Read pages and begin to measure."""
        await self._parts.open()

    async def shutdown(self) -> None:
        """End the measuring."""
        await self._parts.close()


def _metadata() -> object:
    """The tables, loaded when something compares or migrates them."""
    from fastapi_services_platform.hub.switches.tables import flag_version

    return flag_version.metadata
