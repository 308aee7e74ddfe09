"""What is loaded, and why: every capability with what it handed over, its state, and how long its steps took."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from fastapi_services_platform.capability.contribution import (
    Bundle,
    Card,
    Contribution,
    HealthCheck,
    Job,
    LocaleFolder,
    McpTool,
    MenuEntry,
    Metrics,
    Permission,
    ProblemMapping,
    Process,
    Search,
    StaticFolder,
    TemplateFolder,
)
from fastapi_services_platform.capability.events import EventHandler
from fastapi_services_platform.capability.manifest import Capability, Manifest
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.http.routing import RouteEntry
from fastapi_services_platform.security.principal import Reversibility

T = TypeVar("T")
State = Literal["off", "found", "initialized", "running", "failed", "stopped"]


@dataclass(slots=True)
class LoadedCapability:
    """One capability on its way from found to stopped. ``error`` says why it is not running."""

    manifest: Manifest
    capability: Capability | None
    distribution: str = ""
    target: str = ""
    required: bool = True
    state: State = "found"
    initialized: bool = False
    reason: str = ""
    error: PlatformError | None = None
    contribution: Contribution = field(default_factory=Contribution)
    timings: dict[str, float] = field(default_factory=dict)
    switched_off: tuple[str, ...] = ()

    def is_in(self, *states: State) -> bool:
        """Whether it is in one of these states."""
        return self.state in states

    def fail(self, error: PlatformError) -> None:
        """Note why it does not run."""
        self.error, self.state, self.reason = error, "failed", str(error)

    def run(self) -> None:
        """Note that it runs."""
        self.error, self.state, self.reason = None, "running", ""

    @property
    def name(self) -> str:
        """The capability's name."""
        return self.manifest.name

    @property
    def reversibility(self) -> Reversibility:
        """What becomes of a change that says nothing of its own."""
        return self.manifest.reversibility

    @property
    def unavailable(self) -> str | None:
        """Why its routes answer 503, or ``None`` while it runs."""
        if self.error is None:
            return None
        return f"{self.name} is not available at the moment."


class Inventory:
    """Everything that the capabilities handed over; complete from ``startup`` on."""

    def __init__(self) -> None:
        self.capabilities: list[LoadedCapability] = []
        self.routes: tuple[RouteEntry, ...] = ()

    def find(self, name: str) -> LoadedCapability | None:
        """A capability by name."""
        return next((loaded for loaded in self.capabilities if loaded.name == name), None)

    def active(self) -> Iterator[LoadedCapability]:
        """Capabilities whose contribution counts, in dependency order."""
        return (loaded for loaded in self.capabilities if loaded.state in ("initialized", "running", "failed"))

    def _collect(self, attribute: str) -> tuple[tuple[str, object], ...]:
        return tuple(
            (loaded.name, item) for loaded in self.active() for item in getattr(loaded.contribution, attribute)
        )

    def _typed(self, attribute: str, kind: type[T]) -> tuple[tuple[str, T], ...]:
        return tuple((owner, item) for owner, item in self._collect(attribute) if isinstance(item, kind))

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Every named right of every capability."""
        return tuple(item for _, item in self._typed("permissions", Permission))

    @property
    def bundles(self) -> tuple[Bundle, ...]:
        """Every role template."""
        return tuple(item for _, item in self._typed("bundles", Bundle))

    @property
    def menu(self) -> tuple[tuple[str, MenuEntry], ...]:
        """Links of the page frame in their order, with their capability."""
        return tuple(sorted(self._typed("menu", MenuEntry), key=lambda owned: owned[1].order))

    @property
    def cards(self) -> tuple[tuple[str, Card], ...]:
        """Tiles of the hub in their order, with their capability."""
        return tuple(sorted(self._typed("cards", Card), key=lambda owned: owned[1].order))

    @property
    def searches(self) -> tuple[tuple[str, Search], ...]:
        """Where the search looks, in the order of its headings, with their capability."""
        return tuple(sorted(self._typed("searches", Search), key=lambda owned: owned[1].order))

    @property
    def metrics(self) -> tuple[tuple[str, Metrics], ...]:
        """Figures with the capability that they belong to."""
        return self._typed("metrics", Metrics)

    @property
    def locales(self) -> tuple[tuple[str, LocaleFolder], ...]:
        """Folders of catalogues with the capability that they belong to."""
        return self._typed("locales", LocaleFolder)

    @property
    def templates(self) -> tuple[tuple[str, TemplateFolder], ...]:
        """Template folders with the capability that they belong to."""
        return self._typed("templates", TemplateFolder)

    @property
    def static(self) -> tuple[tuple[str, StaticFolder], ...]:
        """Folders of public files with the capability that they belong to."""
        return self._typed("static", StaticFolder)

    @property
    def health_checks(self) -> tuple[tuple[str, HealthCheck], ...]:
        """Health checks with their capability."""
        return self._typed("health_checks", HealthCheck)

    @property
    def jobs(self) -> tuple[tuple[str, Job], ...]:
        """Background jobs with their capability."""
        return self._typed("jobs", Job)

    @property
    def mcp_tools(self) -> tuple[tuple[str, McpTool], ...]:
        """Tools for language models, with their capability."""
        return self._typed("mcp_tools", McpTool)

    @property
    def event_handlers(self) -> tuple[tuple[str, EventHandler], ...]:
        """Handlers of events with their capability."""
        return self._typed("event_handlers", EventHandler)

    @property
    def processes(self) -> tuple[tuple[str, Process], ...]:
        """Processes that run beside the web process, with their capability."""
        return self._typed("processes", Process)

    @property
    def problems(self) -> tuple[tuple[str, ProblemMapping], ...]:
        """Problem mappings with their capability."""
        return self._typed("problems", ProblemMapping)

    @property
    def audit_events(self) -> tuple[tuple[str, str], ...]:
        """Kinds of audit event with the capability that records them."""
        return self._typed("audit_events", str)

    @property
    def entry_page(self) -> str | None:
        """Where browsers that are not signed in are sent."""
        return next((item.contribution.entry_page for item in self.active() if item.contribution.entry_page), None)
