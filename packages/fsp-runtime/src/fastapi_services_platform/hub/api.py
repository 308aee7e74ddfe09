"""The platform API: what the operators' pages show, for machines."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.audit.reading import TrailInForce
from fastapi_services_platform.hub.monitoring.overview import (
    CapabilityView,
    Overview,
    PermissionView,
    PoolView,
    RouteView,
    SettingView,
)
from fastapi_services_platform.hub.switches.breakers import Breakers, BreakerView
from fastapi_services_platform.hub.switches.flag_changes import FlagChanged
from fastapi_services_platform.hub.switches.flags import Flags, FlagView
from fastapi_services_platform.hub.switches.jobs import Jobs, JobView
from fastapi_services_platform.hub.switches.log_levels import LogLevels
from fastapi_services_platform.observability.audit import ChainVerdict, KeptEvent

router = APIRouter()

OverviewService = Annotated[Overview, inject(Overview)]


class LevelChange(BaseModel):
    """The new level of a logger; ``null`` takes a change back."""

    logger: str = Field("", max_length=200, description="A dotted name; empty: the default of all loggers.")
    level: str | None = Field(None, description="debug, info, warning or error.")


class Bundles(BaseModel):
    """Permissions and the role templates that hold them."""

    permissions: list[PermissionView]
    bundles: list[dict[str, Any]]  # Any: the members of a role template are of several types


class AuditPage(BaseModel):
    """Entries, newest first; ``before`` asks for the next page and is ``null`` on the last one."""

    entries: list[KeptEvent]
    before: int | None


@router.get("/capabilities", summary="What is loaded, and why")
@access(permission="platform.capabilities.read")
async def capabilities(overview: OverviewService) -> list[CapabilityView]:
    """Every capability in dependency order, with its grade."""
    return await overview.graded()


@router.get("/routes", summary="Every route with what it asks of its caller")
@access(permission="platform.routes.read")
async def routes(overview: OverviewService, capability: str = "") -> list[RouteView]:
    """Routes in order of registration."""
    return overview.routes(capability)


@router.get("/permissions", summary="Every permission and role template")
@access(permission="platform.permissions.read")
async def permissions(overview: OverviewService) -> Bundles:
    """Permissions with the routes that ask for them."""
    return Bundles(permissions=overview.permissions(), bundles=overview.bundles())


@router.get("/health", summary="How every part is")
@access(permission="platform.health.read")
async def health(overview: OverviewService) -> dict[str, Any]:  # Any: the report nests by part
    """The report of /health, always with status 200."""
    return await overview.health()


@router.get("/pools", summary="Connection pools and the threads for blocking work")
@access(permission="platform.health.read")
async def pools(overview: OverviewService) -> list[PoolView]:
    """Size, use and overflow of each pool."""
    return overview.pools()


@router.get("/settings", summary="Effective settings with their source; secrets are masked")
@access(permission="platform.settings.read")
async def settings(overview: OverviewService) -> list[SettingView]:
    """Settings of the platform and of every capability."""
    return overview.settings()


@router.get("/log-levels", summary="The level of every logger")
@access(permission="platform.loglevels.read")
async def log_levels(service: Annotated[LogLevels, inject(LogLevels)]) -> dict[str, str]:
    """Levels by logger; the empty name is the default."""
    return service.all()


@router.put("/log-levels", summary="Change the level of a logger while the platform runs")
@access(permission="platform.loglevels.change")
async def change_log_level(
    change: LevelChange, who: CurrentPrincipal, service: Annotated[LogLevels, inject(LogLevels)]
) -> dict[str, str]:
    """The levels after the change."""
    await service.change(change.logger, change.level, by=who.urn)
    return service.all()


@router.get("/audit", summary="The newest entries of the audit trail")
@access(permission="platform.audit.read")
async def audit(
    trail: Annotated[TrailInForce, inject(TrailInForce)],
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    actor: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=120)] = "",
) -> AuditPage:
    """Entries by page, optionally of one actor or one kind of action."""
    found = await trail.tail(before=before, limit=limit, actor=actor, action=action)
    return AuditPage(entries=list(found), before=found[-1].sequence if len(found) == limit else None)


@router.get("/audit/verification", summary="Whether the audit trail is unbroken")
@access(permission="platform.audit.read")
async def audit_verification(trail: Annotated[TrailInForce, inject(TrailInForce)]) -> ChainVerdict:
    """The chain computed anew; ``first_wrong`` names the entry where it breaks."""
    return await trail.verify()


class FlagChange(BaseModel):
    """The new default of a flag."""

    flag: str = Field(max_length=200)
    value: bool | float | str
    reason: str = Field("", max_length=500)


@router.get("/flags", summary="Every feature flag")
@access(permission="platform.flags.read")
async def flags(service: Annotated[Flags, inject(Flags)]) -> list[FlagView]:
    """Flags by name."""
    return service.all()


@router.get("/flags/history", summary="Changes of feature flags, newest first")
@access(permission="platform.flags.read")
async def flag_history(
    service: Annotated[Flags, inject(Flags)], limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[FlagChanged]:
    """What was changed when, by whom, and why."""
    return await service.history(limit)


@router.put("/flags", summary="Change the default of a feature flag")
@access(permission="platform.flags.change")
async def change_flag(
    change: FlagChange, who: CurrentPrincipal, service: Annotated[Flags, inject(Flags)]
) -> list[FlagView]:
    """The flags after the change."""
    await service.change(change.flag, change.value, by=who.urn, reason=change.reason)
    return service.all()


@router.get("/jobs", summary="Background jobs with their last runs")
@access(permission="platform.jobs.read")
async def jobs(service: Annotated[Jobs, inject(Jobs)]) -> list[JobView]:
    """Jobs by name."""
    return await service.all()


@router.post("/jobs/{name}/runs", summary="Run a background job at once")
@access(permission="platform.jobs.run")
async def run_job(name: str, who: CurrentPrincipal, service: Annotated[Jobs, inject(Jobs)]) -> JobView:
    """The job after its run."""
    return await service.run_now(name, by=who.urn)


@router.get("/breakers", summary="Circuit breakers of upstreams")
@access(permission="platform.breakers.read")
async def breakers(service: Annotated[Breakers, inject(Breakers)]) -> list[BreakerView]:
    """Breakers of this node by name."""
    return service.all()


@router.post("/breakers/{name:path}/reset", summary="Close the breaker of an upstream at once")
@access(permission="platform.breakers.reset")
async def reset_breaker(
    name: str, who: CurrentPrincipal, service: Annotated[Breakers, inject(Breakers)]
) -> BreakerView:
    """The breaker afterwards."""
    return await service.reset(name, by=who.urn)
