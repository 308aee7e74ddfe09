"""Schedules: one's own, with history, pause and the next times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import Principal, access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import uuid_of
from skriptoteket.adapters.http.scheduling import ScheduleDesk, times_of
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.errors import (
    Conflict,
    FieldIssue,
    PayloadTooLarge,
    QueueFull,
    RunnerUnavailable,
    TooManyRuns,
    ValidationFailed,
)
from skriptoteket.core.roles import SCHEDULE

submissions = APIRouter()
router = APIRouter()

Desk = Annotated[ScheduleDesk, inject(ScheduleDesk)]
Page = Annotated[Pages, inject(Pages)]
Reading = Annotated[Readers, inject(Readers)]


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent, and what is wrong with it; an issue without a name is about the whole."""

    issues: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)
    status: int = 200


@router.get("/schedules", name="skriptoteket_schedules")
@access(permission=SCHEDULE)
async def schedules(
    request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """All of one's own."""
    context = {"reader": people.of(principal, request), "rows": await desk.planning.mine(principal.urn)}
    return await pages.render(request, "skriptoteket/schedules.html", context)


@router.get("/tools/{slug}/schedule", name="skriptoteket_schedule_form")
@access(permission=SCHEDULE)
async def form(
    slug: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """The form of a tool, with times."""
    return await _form(slug, request, principal, desk, pages, people, Sent())


@submissions.post("/tools/{slug}/schedule", name="skriptoteket_make_schedule")
@access(permission=SCHEDULE)
async def make(
    slug: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """Keep it; a wrong form is shown again with what was filled in."""
    try:
        made = await desk.take(request, principal, slug)
    except ValidationFailed as error:
        sent = Sent({issue.field: issue.message for issue in error.issues}, error.given, 422)
        return await _form(slug, request, principal, desk, pages, people, sent)
    except PayloadTooLarge as error:
        return await _form(slug, request, principal, desk, pages, people, Sent({"": str(error)}, {}, 413))
    return RedirectResponse(request.url_for("skriptoteket_schedule", schedule_id=str(made.id)).path, 303)


@router.get("/schedules/{schedule_id}", name="skriptoteket_schedule")
@access(permission=SCHEDULE)
async def one(
    schedule_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """One of them: the next times, and what the last ones came to."""
    return await _page(schedule_id, request, principal, desk, pages, people, Sent())


@router.post("/schedules/{schedule_id}", name="skriptoteket_change_schedule")
@access(permission=SCHEDULE)
async def change(
    schedule_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """Other times."""
    texts = {name: str(value) for name, value in (await request.form()).items()}
    try:
        times = times_of(texts, desk.timezone)
        await desk.planning.change(uuid_of("schedule", schedule_id), principal.urn, times)
    except ValidationFailed as error:
        sent = Sent({issue.field: issue.message for issue in error.issues}, texts, 422)
        return await _page(schedule_id, request, principal, desk, pages, people, sent)
    return RedirectResponse(request.url_for("skriptoteket_schedule", schedule_id=schedule_id).path, 303)


@router.post("/schedules/{schedule_id}/{verb}", name="skriptoteket_steer_schedule")
@access(permission=SCHEDULE)
async def steer(
    schedule_id: str, verb: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """``pause``, ``resume``, ``run-now`` or ``remove``."""
    wanted = uuid_of("schedule", schedule_id)
    try:
        if verb == "run-now":
            run = await desk.firing.run_now(wanted, principal.urn)
            return RedirectResponse(request.url_for("skriptoteket_run", run_id=str(run.id)).path, 303)
        verbs = {"pause": desk.planning.pause, "resume": desk.planning.resume, "remove": desk.remove}
        if verb not in verbs:
            raise ValidationFailed([FieldIssue("verb", "unknown", "must be pause, resume, run-now or remove")])
        await verbs[verb](wanted, principal.urn)
    except (Conflict, RunnerUnavailable, TooManyRuns, QueueFull, ValidationFailed) as error:
        status = {Conflict: 409, ValidationFailed: 422, TooManyRuns: 429}.get(type(error), 503)
        return await _page(schedule_id, request, principal, desk, pages, people, Sent({"": str(error)}, {}, status))
    if verb == "remove":
        return RedirectResponse(request.url_for("skriptoteket_schedules").path, 303)
    return RedirectResponse(request.url_for("skriptoteket_schedule", schedule_id=schedule_id).path, 303)


async def _form(
    slug: str, request: Request, principal: Principal, desk: ScheduleDesk, pages: Pages, people: Readers, sent: Sent
) -> Response:
    tool, version = await desk.submissions.runnable(slug)
    context = {
        "reader": people.of(principal, request),
        "tool": tool,
        "fields": version.behaviour.input_schema,
        "limits": desk.limits,
        "timezone": desk.timezone,
        "issues": sent.issues,
        "given": sent.given,
    }
    return await pages.render(request, "skriptoteket/schedule_form.html", context, sent.status)


async def _page(
    schedule_id: str,
    request: Request,
    principal: Principal,
    desk: ScheduleDesk,
    pages: Pages,
    people: Readers,
    sent: Sent,
) -> Response:
    seen = await desk.planning.see(uuid_of("schedule", schedule_id), principal.urn)
    context = {
        "reader": people.of(principal, request),
        "seen": seen,
        "schedule": seen.schedule,
        "tool": seen.tool,
        "issues": sent.issues,
        "given": sent.given,
    }
    return await pages.render(request, "skriptoteket/schedule.html", context, sent.status)
