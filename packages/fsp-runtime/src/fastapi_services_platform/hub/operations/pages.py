"""Pages on which operators look: capabilities, routes, health, permissions, settings, audit."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.http.problems import Problem, ProblemRaised
from fastapi_services_platform.hub.audit.reading import TrailInForce
from fastapi_services_platform.hub.monitoring.capability_map import map_of
from fastapi_services_platform.hub.monitoring.health_history import KEPT, changes
from fastapi_services_platform.hub.monitoring.overview import Overview
from fastapi_services_platform.hub.monitoring.together import Together
from fastapi_services_platform.hub.operations.sections import visible_sections

router = APIRouter()

PagesService = Annotated[Pages, inject(Pages)]
OverviewService = Annotated[Overview, inject(Overview)]

_AUDIT_PAGE = 50
_LOOKS_SHOWN = 120
_SAMPLES_SHOWN = 150


@router.get("", name="platform.overview")
@access(permission="platform.capabilities.read")
async def overview_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, overview: OverviewService
) -> Response:
    """The platform at a glance."""
    context = {
        "sections": await visible_sections(pages, who),
        "health": await overview.health(),
        "capabilities": overview.capabilities(),
    }
    return await pages.render(request, "hub/overview.html", context)


@router.get("/capabilities", name="platform.capabilities")
@access(permission="platform.capabilities.read")
async def capabilities_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, overview: OverviewService
) -> Response:
    """What is loaded, and why."""
    found = await overview.graded()
    context = {"sections": await visible_sections(pages, who), "capabilities": found, "map": map_of(found)}
    return await pages.render(request, "hub/capabilities.html", context)


@router.get("/capabilities/{name}", name="platform.capability")
@access(permission="platform.capabilities.read")
async def capability_page(
    request: Request, name: str, who: CurrentPrincipal, pages: PagesService, overview: OverviewService
) -> Response:
    """One capability with its routes and permissions."""
    found = await overview.capability(name)
    if found is None:
        raise ProblemRaised(Problem(404, "not-found", "Not Found", "No such capability is installed."))
    context = {
        "sections": await visible_sections(pages, who),
        "capability": found,
        "routes": overview.routes(name),
        "permissions": [item for item in overview.permissions() if item.capability == name],
    }
    return await pages.render(request, "hub/capability.html", context)


@router.get("/routes", name="platform.routes")
@access(permission="platform.routes.read")
async def routes_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, overview: OverviewService, q: str = ""
) -> Response:
    """Every route with what it asks of its caller."""
    wanted = q.strip().lower()
    found = [r for r in overview.routes() if wanted in f"{r.path} {r.capability} {r.permission or r.access}".lower()]
    context = {"sections": await visible_sections(pages, who), "routes": found, "q": q}
    return await pages.render(request, "hub/routes.html", context)


@router.get("/health", name="platform.health")
@access(permission="platform.health.read")
async def health_page(
    request: Request,
    who: CurrentPrincipal,
    pages: PagesService,
    overview: OverviewService,
    together: Annotated[Together, inject(Together)],
) -> Response:
    """How every part is, how it was, and how much there is to do, in all processes of the parent."""
    looks = await together.looks(KEPT)
    context = {
        "sections": await visible_sections(pages, who),
        "health": await overview.health(),
        "looks": looks[-_LOOKS_SHOWN:],
        "changes": changes(looks),
        "samples": await together.samples(_SAMPLES_SHOWN),
        "pools": overview.pools(),
        "busiest": await together.busiest(),
        "alone": together.alone,
    }
    return await pages.render(request, "hub/health.html", context)


@router.get("/permissions", name="platform.permissions")
@access(permission="platform.permissions.read")
async def permissions_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, overview: OverviewService
) -> Response:
    """Every permission and role template."""
    context = {
        "sections": await visible_sections(pages, who),
        "permissions": overview.permissions(),
        "bundles": overview.bundles(),
    }
    return await pages.render(request, "hub/permissions.html", context)


@router.get("/settings", name="platform.settings")
@access(permission="platform.settings.read")
async def settings_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, overview: OverviewService
) -> Response:
    """Effective settings with their source."""
    context = {"sections": await visible_sections(pages, who), "settings": overview.settings()}
    return await pages.render(request, "hub/settings.html", context)


@router.get("/audit", name="platform.audit")
@access(permission="platform.audit.read")
async def audit_page(
    request: Request,
    who: CurrentPrincipal,
    pages: PagesService,
    trail: Annotated[TrailInForce, inject(TrailInForce)],
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    action: Annotated[str, Query(max_length=120)] = "",
    check: bool = False,
) -> Response:
    """The newest entries of the audit trail, and on demand whether it is unbroken."""
    context = {
        "sections": await visible_sections(pages, who),
        "entries": await trail.tail(before=before, limit=_AUDIT_PAGE, action=action),
        "page_size": _AUDIT_PAGE,
        "action": action,
        "verdict": await trail.verify() if check else None,
    }
    return await pages.render(request, "hub/audit.html", context)
