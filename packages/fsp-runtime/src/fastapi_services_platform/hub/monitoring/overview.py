"""What the hub shows of the platform: capabilities, routes, permissions, settings, health. It only reads."""

import os
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from fastapi_services_platform.capability.contribution import Card, ProblemMapping
from fastapi_services_platform.engine.inspection.quality import Fact, Grade, quality_of
from fastapi_services_platform.engine.inspection.reasons import reasons_of
from fastapi_services_platform.engine.inventory import LoadedCapability
from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.engine.probing import Probe
from fastapi_services_platform.http.permissions import Access
from fastapi_services_platform.resilience.pools import blocking, pool

MASKED = "••••••"

SettingSource = Literal["environment", "default"]


@dataclass(frozen=True, slots=True)
class CapabilityView:
    """One capability for people and machines."""

    name: str
    version: str
    summary: str
    state: str
    required: bool
    reason: str
    distribution: str
    provides: tuple[str, ...]
    requires: tuple[str, ...]
    optional: tuple[str, ...]
    database: bool
    routes: int
    permissions: int
    timings_ms: dict[str, float]
    why: tuple[str, ...] = ()
    grade: Grade = "none"
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteView:
    """One route and what it asks of its caller."""

    path: str
    methods: tuple[str, ...]
    capability: str
    router: str
    access: str
    permission: str | None


@dataclass(frozen=True, slots=True)
class PermissionView:
    """A permission with the routes that ask for it and the role templates that hold it."""

    name: str
    summary: str
    capability: str
    routes: tuple[str, ...]
    bundles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingView:
    """An effective setting. ``value`` of a secret is masked."""

    capability: str
    variable: str
    value: str
    source: SettingSource
    description: str


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool: its size, how much of it is in use, and how much more than its size is asked for."""

    name: str
    size: int
    in_use: int
    overflow: int


class Overview:
    """Reads the inventory anew at every call, so that a capability that came up later is there."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._probe = Probe(platform)

    @property
    def site(self) -> str:
        """The platform's name."""
        return self._platform.settings.name

    def capabilities(self) -> list[CapabilityView]:
        """Every capability in dependency order, those that are off or failed too."""
        return [self._capability(loaded) for loaded in self._platform.inventory.capabilities]

    async def graded(self) -> list[CapabilityView]:
        """The same, each with its grade."""
        loaded, inventory = self._platform.inventory.capabilities, self._platform.inventory
        found = await blocking(lambda: [quality_of(item, inventory) for item in loaded])
        views = zip(self.capabilities(), found, strict=True)
        return [replace(view, grade=quality.grade, facts=quality.facts) for view, quality in views]

    async def capability(self, name: str) -> CapabilityView | None:
        """One capability with its grade."""
        return next((view for view in await self.graded() if view.name == name), None)

    def routes(self, capability: str = "") -> list[RouteView]:
        """Every route in order of registration, optionally of one capability."""
        return [
            RouteView(
                path=entry.path,
                methods=tuple(sorted(entry.methods - {"HEAD"})) or (entry.kind.upper(),),
                capability=entry.owner.name,
                router=entry.mount_name,
                access=_access(entry.access),
                permission=entry.access.permission,
            )
            for entry in self._platform.inventory.routes
            if not capability or entry.owner.name == capability
        ]

    def permissions(self) -> list[PermissionView]:
        """Every permission by name."""
        routes, inventory = self.routes(), self._platform.inventory
        return [
            PermissionView(
                name=permission.name,
                summary=permission.summary,
                capability=loaded.name,
                routes=tuple(f"{' '.join(r.methods)} {r.path}" for r in routes if r.permission == permission.name),
                bundles=tuple(item.name for item in inventory.bundles if permission.name in item.permissions),
            )
            for loaded in inventory.active()
            for permission in loaded.contribution.permissions
        ]

    def bundles(self) -> list[dict[str, object]]:
        """Every role template."""
        return [
            {"name": b.name, "summary": b.summary, "permissions": list(b.permissions), "default": b.default}
            for b in self._platform.inventory.bundles
        ]

    def cards(self) -> tuple[tuple[str, Card], ...]:
        """Tiles of the hub in their order, with their capability."""
        return self._platform.inventory.cards

    def problem_types(self) -> dict[str, ProblemMapping]:
        """Problem types of capabilities by ``<capability>/<slug>``."""
        return {f"{owner}/{mapping.slug}": mapping for owner, mapping in self._platform.inventory.problems}

    def pools(self) -> list[PoolView]:
        """Connection pools that were used so far, and the threads for blocking work."""
        views = [_pool(item.name, item.pool_figures()) for item in self._platform.databases if item.opened]
        threads = PoolView("blocking work", pool.threads, pool.waiting, max(0, pool.waiting - pool.threads))
        return [*views, threads]

    async def health(self) -> dict[str, Any]:  # Any: the report is JSON for machines and a template alike
        """The report of ``/health``."""
        report, _ = await self._probe.report()
        return dict(report)

    def settings(self) -> list[SettingView]:
        """Effective settings of the platform and of every capability, with their source."""
        views = _settings_of("platform", self._platform.settings)
        for loaded in self._platform.inventory.capabilities:
            if loaded.manifest.settings is not None and loaded.state != "off":
                views += _described(loaded)
        return views

    def _capability(self, loaded: LoadedCapability) -> CapabilityView:
        manifest = loaded.manifest
        return CapabilityView(
            name=manifest.name,
            version=manifest.version,
            summary=manifest.summary,
            state=loaded.state,
            required=loaded.required,
            reason=loaded.reason,
            distribution=loaded.distribution,
            provides=manifest.provides,
            requires=manifest.requires,
            optional=manifest.optional,
            database=manifest.database,
            routes=len(self.routes(manifest.name)),
            permissions=len(loaded.contribution.permissions),
            timings_ms={step: round(seconds * 1000, 1) for step, seconds in loaded.timings.items()},
            why=reasons_of(loaded, self._platform.inventory),
        )


def _pool(name: str, figures: dict[str, float]) -> PoolView:
    return PoolView(name, int(figures["size"]), int(figures["in_use"]), int(figures["overflow"]))


def _access(declared: Access) -> str:
    if declared.public:
        return "public"
    return "signed in" if declared.authenticated else "permission"


def _settings_of(capability: str, settings: BaseSettings) -> list[SettingView]:
    kind = type(settings)
    prefix = str(kind.model_config.get("env_prefix") or "")
    views: list[SettingView] = []
    for name, field in kind.model_fields.items():
        value = getattr(settings, name)
        secret = isinstance(value, SecretStr) or "Secret" in str(field.annotation)
        variable = f"{prefix}{name}".upper()
        shown = "not set" if value is None or value in ("", ()) else MASKED if secret else _shown(value)
        views.append(SettingView(capability, variable, shown, _source(variable), field.description or ""))
    return views


def _described(loaded: LoadedCapability) -> list[SettingView]:
    """A capability reads its settings itself; the hub reads them once more, only to show them."""
    kind = loaded.manifest.settings
    if kind is None:
        return []
    try:
        return _settings_of(loaded.name, kind())
    except ValueError:
        return []


def _source(variable: str) -> SettingSource:
    """Whether the environment names the variable; its value was read elsewhere, once, at the start."""
    return "environment" if variable in os.environ else "default"  # factory: allow A14 -- names only, no value


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list | set | frozenset) else str(value)
    scheme, separator, rest = text.partition("://")
    if separator and "@" in rest:
        return f"{scheme}://{MASKED}@{rest.rpartition('@')[2]}"
    return text
