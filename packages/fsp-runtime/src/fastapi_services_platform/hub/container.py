"""What the hub chooses: one measuring, one history, one trail for each platform."""

from typing import TYPE_CHECKING

from fastapi_services_platform.capability.contribution import Service
from fastapi_services_platform.engine.background.jobs import JobRun
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.plugin_loader import runtime_version
from fastapi_services_platform.http.edge import Edge
from fastapi_services_platform.http.pages import PageParts, Pages
from fastapi_services_platform.hub.audit.chain import HashChainTrail
from fastapi_services_platform.hub.audit.reading import TrailInForce
from fastapi_services_platform.hub.events.dead_letters import EventDesk
from fastapi_services_platform.hub.front.notices import Notices
from fastapi_services_platform.hub.front.search import Finder
from fastapi_services_platform.hub.mcp.endpoint import Tools
from fastapi_services_platform.hub.monitoring.health_history import HealthHistory
from fastapi_services_platform.hub.monitoring.live import STREAM
from fastapi_services_platform.hub.monitoring.metrics_route import PlatformReadings
from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.hub.monitoring.together import Together
from fastapi_services_platform.hub.switches.breakers import Breakers
from fastapi_services_platform.hub.switches.flag_changes import SharedFlags
from fastapi_services_platform.hub.switches.flags import Flags
from fastapi_services_platform.hub.switches.jobs import Jobs
from fastapi_services_platform.hub.switches.log_levels import LEVEL_CHANGED, LogLevels, take_over_level
from fastapi_services_platform.observability.audit import DefaultAuditTrail
from fastapi_services_platform.observability.metrics import Measurements
from fastapi_services_platform.observability.tracing.setup import metrics_export
from fastapi_services_platform.observability.vitals import Vitals
from fastapi_services_platform.security.ports import Authorizer

if TYPE_CHECKING:
    from fastapi_services_platform.observability.otlp_metrics import MetricsExport


class HubParts:
    """The parts of one hub, wired; :meth:`open` begins to measure."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._edge: Edge | None = None
        self._export: MetricsExport | None = None
        self.measurements = Measurements()
        self.vitals = Vitals(self.measurements, self._connections_in_use)
        self.history = HealthHistory(Overview(platform))
        self.together = Together(platform.siblings, self.vitals, self.history, self.measurements)
        self.trail = HashChainTrail(platform.database("hub"))
        self.flags = SharedFlags(platform.flags, platform.database("hub"))
        self.pages = Pages(self._page_parts)
        self.tools = Tools(platform)

    def services(self) -> tuple[Service, ...]:
        """Recipes for the container."""
        platform = self._platform
        return (
            Service(Pages, lambda _scope: self.pages),
            Service(Overview, lambda _scope: Overview(platform)),
            Service(Finder, lambda _scope: Finder(platform)),
            Service(Notices, lambda _scope: Notices(platform.container)),
            Service(Measurements, lambda _scope: self.measurements),
            Service(Vitals, lambda _scope: self.vitals),
            Service(Together, lambda _scope: self.together),
            Service(LogLevels, lambda _scope: LogLevels(platform.audit, platform.siblings)),
            Service(Tools, lambda _scope: self.tools),
            Service(Flags, lambda _scope: Flags(platform.flags, self.flags, platform.audit)),
            Service(EventDesk, lambda _scope: EventDesk(platform)),
            Service(Breakers, lambda _scope: Breakers(platform.clients, platform.audit)),
            Service(Jobs, lambda _scope: Jobs(platform.jobs, platform.database("hub"), platform.audit)),
            Service(HashChainTrail, lambda _scope: self.trail),
            Service(TrailInForce, lambda _scope: TrailInForce(platform.container, self.trail)),
            Service(DefaultAuditTrail, lambda _scope: self.trail),
        )

    async def open(self) -> None:
        """Read templates and public files of every capability, and begin to measure."""
        await self.pages.open()
        await self.flags.open()
        self._platform.jobs.keeper = self._keep_run
        container = self._platform.container
        edge = await container.get(Edge) if Edge in container else None
        if edge is not None:
            edge.observers = (*edge.observers, self.measurements.observe)
        self._edge = edge
        self.measurements.streams.add(STREAM)
        self.measurements.add_source(PlatformReadings(self._platform, edge))
        for owner, metrics in self._platform.inventory.metrics:
            self.measurements.add_contributed(owner, metrics.read)
        await self._open_to_siblings()
        await self.vitals.start()
        self._export = metrics_export(self._platform.settings, runtime_version(), self.measurements)
        if self._export is not None:
            self._export.start()
        await self.history.look()

    async def _open_to_siblings(self) -> None:
        """Answer the other processes of this parent: what was measured here, and levels that were changed there."""

        async def exposition(_content: object) -> bytes:
            return await self.measurements.exposition()

        siblings = self._platform.siblings
        self.together.answer_siblings()
        siblings.answers |= {"metrics": exposition, LEVEL_CHANGED: take_over_level}
        await siblings.open()

    def _connections_in_use(self) -> int:
        return int(sum(item.pool_figures()["in_use"] for item in self._platform.databases if item.opened))

    async def _keep_run(self, name: str, run: JobRun) -> None:
        from fastapi_services_platform.hub.switches.job_rows import keep_run

        await keep_run(self._platform.database("hub"), name, run)

    async def close(self) -> None:
        """End the measuring."""
        if self._edge is not None:
            self._edge.observers = tuple(item for item in self._edge.observers if item != self.measurements.observe)
        await self._platform.siblings.close()
        self._platform.jobs.keeper = None
        await self.flags.close()
        await self.vitals.stop()
        if self._export is not None:
            await self._export.stop()

    async def _page_parts(self) -> PageParts:
        inventory, container = self._platform.inventory, self._platform.container
        return PageParts(
            site=self._platform.settings.name,
            templates=inventory.templates,
            static=inventory.static,
            locales=inventory.locales,
            menu=inventory.menu,
            authorizer=await container.get(Authorizer) if Authorizer in container else None,
            entry_page=inventory.entry_page,
            paths=frozenset(entry.path for entry in inventory.routes),
            environment=self._platform.settings.environment,
            language=self._platform.settings.language,
            timezone=self._platform.settings.timezone,
        )
