"""Pages on which operators change something while the platform runs."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from fastapi_services_platform.http.pages import Pages
from fastapi_services_platform.http.permissions import access
from fastapi_services_platform.hub.operations.sections import visible_sections
from fastapi_services_platform.hub.switches.breakers import Breakers
from fastapi_services_platform.hub.switches.flags import Flags
from fastapi_services_platform.hub.switches.jobs import Jobs
from fastapi_services_platform.hub.switches.log_levels import LogLevels
from fastapi_services_platform.observability.logger_factory import LEVELS

router = APIRouter()

PagesService = Annotated[Pages, inject(Pages)]

_HISTORY = 20


@router.get("/log-levels", name="platform.log_levels")
@access(permission="platform.loglevels.read")
async def log_levels_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, log_levels: Annotated[LogLevels, inject(LogLevels)]
) -> Response:
    """The level of every logger."""
    context = {
        "sections": await visible_sections(pages, who),
        "levels": log_levels.all(),
        "changed": log_levels.changed(),
        "choices": list(LEVELS),
        "may_change": await pages.allowed(who, "platform.loglevels.change"),
    }
    return await pages.render(request, "hub/log_levels.html", context)


@router.post("/log-levels", name="platform.change_log_level")
@access(permission="platform.loglevels.change")
async def change_log_level(
    who: CurrentPrincipal,
    log_levels: Annotated[LogLevels, inject(LogLevels)],
    logger: Annotated[str, Form(max_length=200)] = "",
    level: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Change one logger, or take the change back."""
    await log_levels.change(logger.strip(), level or None, by=who.urn)
    return RedirectResponse("/platform/log-levels", status_code=303)


@router.get("/flags", name="platform.flags")
@access(permission="platform.flags.read")
async def flags_page(
    request: Request,
    who: CurrentPrincipal,
    pages: PagesService,
    flags: Annotated[Flags, inject(Flags)],
) -> Response:
    """Every feature flag with the history of its changes."""
    context = {
        "sections": await visible_sections(pages, who),
        "flags": flags.all(),
        "file_problem": flags.problem,
        "undeclared": flags.undeclared,
        "history": await flags.history(_HISTORY),
        "may_change": await pages.allowed(who, "platform.flags.change"),
    }
    return await pages.render(request, "hub/flags.html", context)


@router.post("/flags", name="platform.change_flag")
@access(permission="platform.flags.change")
async def change_flag(
    who: CurrentPrincipal,
    flags: Annotated[Flags, inject(Flags)],
    flag: Annotated[str, Form(max_length=200)],
    value: Annotated[str, Form(max_length=500)],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Set the default of a flag."""
    await flags.change(flag, value, by=who.urn, reason=reason)
    return RedirectResponse("/platform/flags", status_code=303)


@router.get("/jobs", name="platform.jobs")
@access(permission="platform.jobs.read")
async def jobs_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, jobs: Annotated[Jobs, inject(Jobs)]
) -> Response:
    """Every background job with its last run."""
    context = {
        "sections": await visible_sections(pages, who),
        "jobs": await jobs.all(),
        "may_run": await pages.allowed(who, "platform.jobs.run"),
    }
    return await pages.render(request, "hub/jobs.html", context)


@router.post("/jobs", name="platform.run_job")
@access(permission="platform.jobs.run")
async def run_job(
    who: CurrentPrincipal, jobs: Annotated[Jobs, inject(Jobs)], job: Annotated[str, Form(max_length=200)]
) -> Response:
    """Run a job at once."""
    await jobs.run_now(job, by=who.urn)
    return RedirectResponse("/platform/jobs", status_code=303)


@router.get("/breakers", name="platform.breakers")
@access(permission="platform.breakers.read")
async def breakers_page(
    request: Request, who: CurrentPrincipal, pages: PagesService, breakers: Annotated[Breakers, inject(Breakers)]
) -> Response:
    """Every upstream that was called, with its breaker."""
    context = {
        "sections": await visible_sections(pages, who),
        "breakers": breakers.all(),
        "may_reset": await pages.allowed(who, "platform.breakers.reset"),
    }
    return await pages.render(request, "hub/breakers.html", context)


@router.post("/breakers", name="platform.reset_breaker")
@access(permission="platform.breakers.reset")
async def reset_breaker(
    who: CurrentPrincipal,
    breakers: Annotated[Breakers, inject(Breakers)],
    breaker: Annotated[str, Form(max_length=300)],
) -> Response:
    """Close a breaker at once."""
    await breakers.reset(breaker, by=who.urn)
    return RedirectResponse("/platform/breakers", status_code=303)
