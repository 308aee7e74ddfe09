"""Schedules as JSON: one's own, nobody else's."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.run_answers import answered
from skriptoteket.adapters.api.schemas.runs import RunDetail
from skriptoteket.adapters.api.schemas.schedules import ScheduleChange, ScheduleIn, ScheduleOut
from skriptoteket.adapters.http.acting import uuid_of
from skriptoteket.adapters.http.scheduling import ScheduleDesk, json_body
from skriptoteket.adapters.http.submitting import SubmissionDesk
from skriptoteket.core.errors import FieldIssue, ValidationFailed
from skriptoteket.core.roles import SCHEDULE

submissions = APIRouter()
router = APIRouter()

Desk = Annotated[ScheduleDesk, inject(ScheduleDesk)]
Runs = Annotated[SubmissionDesk, inject(SubmissionDesk)]

_PLAN = {
    "tool": {"type": "string"},
    "cron": {"type": "string"},
    "timezone": {"type": "string"},
    "ends_at": {"type": "string"},
    "max_runs": {"type": "string"},
    "inputs": {"type": "string", "description": "Values by field name, as JSON"},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ScheduleIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "The same fields as texts, and one part per file, named by its field",
                    "properties": _PLAN,
                    "additionalProperties": True,
                }
            },
        },
    }
}


@router.get("/schedules", name="skriptoteket_api_schedules")
@access(permission=SCHEDULE)
async def schedules(principal: CurrentPrincipal, desk: Desk) -> list[ScheduleOut]:
    """One's own, newest first; at most twenty."""
    return [ScheduleOut.of(each) for each in await desk.planning.mine(principal.urn)]


@submissions.post(
    "/schedules", status_code=201, response_model=ScheduleOut, openapi_extra=_BODY, name="skriptoteket_api_schedule"
)
@access(permission=SCHEDULE)
async def schedule(request: Request, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Let a tool run at set times: as JSON, or as a form with files that are kept until the schedule is removed."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        body = _wanted(json_body(await request.body()))
        made = await desk.make(principal, body.tool, body.times(desk.timezone), body.inputs)
    else:
        made = await desk.take(request, principal)
    shown = ScheduleOut.of(await desk.planning.see(made.id, principal.urn))
    where = request.url_for("skriptoteket_api_one_schedule", schedule_id=str(made.id)).path
    return Response(shown.model_dump_json(), 201, {"location": where}, "application/json")


@router.get("/schedules/{schedule_id}", name="skriptoteket_api_one_schedule")
@access(permission=SCHEDULE)
async def one(schedule_id: str, principal: CurrentPrincipal, desk: Desk) -> ScheduleOut:
    """One of one's own, with the next five times and what the last twenty came to."""
    return ScheduleOut.of(await desk.planning.see(uuid_of("schedule", schedule_id), principal.urn))


@router.patch("/schedules/{schedule_id}", name="skriptoteket_api_change_schedule")
@access(permission=SCHEDULE)
async def change(schedule_id: str, body: ScheduleChange, principal: CurrentPrincipal, desk: Desk) -> ScheduleOut:
    """Other times or values; whether it is paused stays."""
    wanted = uuid_of("schedule", schedule_id)
    await desk.planning.change(wanted, principal.urn, body.times(desk.timezone), body.inputs)
    return ScheduleOut.of(await desk.planning.see(wanted, principal.urn))


@router.delete("/schedules/{schedule_id}", status_code=204, name="skriptoteket_api_remove_schedule")
@access(permission=SCHEDULE)
async def remove(schedule_id: str, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Forget it with its files; its runs stay."""
    await desk.remove(uuid_of("schedule", schedule_id), principal.urn)
    return Response(status_code=204)


@router.post("/schedules/{schedule_id}/pause", name="skriptoteket_api_pause_schedule")
@access(permission=SCHEDULE)
async def pause(schedule_id: str, principal: CurrentPrincipal, desk: Desk) -> ScheduleOut:
    """Stop firing; idempotent."""
    wanted = uuid_of("schedule", schedule_id)
    await desk.planning.pause(wanted, principal.urn)
    return ScheduleOut.of(await desk.planning.see(wanted, principal.urn))


@router.post("/schedules/{schedule_id}/resume", name="skriptoteket_api_resume_schedule")
@access(permission=SCHEDULE)
async def resume(schedule_id: str, principal: CurrentPrincipal, desk: Desk) -> ScheduleOut:
    """Fire again; 409 `wrong_state` when its end is reached."""
    wanted = uuid_of("schedule", schedule_id)
    await desk.planning.resume(wanted, principal.urn)
    return ScheduleOut.of(await desk.planning.see(wanted, principal.urn))


@router.post(
    "/schedules/{schedule_id}/run-now",
    status_code=202,
    response_model=RunDetail,
    responses={200: {"model": RunDetail, "description": "It ended within `Prefer: wait=N`."}},
    name="skriptoteket_api_run_schedule",
)
@access(permission=SCHEDULE)
async def run_now(schedule_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, runs: Runs) -> Response:
    """Once, beside its times; 409 `action_in_progress` while its last run lives."""
    run = await desk.firing.run_now(uuid_of("schedule", schedule_id), principal.urn)
    return await answered(request, principal, runs, run.id)


def _wanted(given: object) -> ScheduleIn:
    try:
        return ScheduleIn.model_validate(given)
    except ValidationError as error:
        raise ValidationFailed(
            [
                FieldIssue(".".join(map(str, each["loc"])) or "body", each["type"], each["msg"])
                for each in error.errors()
            ]
        ) from None
