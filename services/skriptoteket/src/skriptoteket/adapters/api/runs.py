"""Start, watch and download routes."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.run_answers import answered, detail
from skriptoteket.adapters.api.schemas.runs import ArtifactOut, CancelOut, JsonSubmission, LogsOut, RunDetail, RunList
from skriptoteket.adapters.http.acting import Actors, cursor_of, idempotency_key, run_id_of
from skriptoteket.adapters.http.archive import archived
from skriptoteket.adapters.http.downloads import deliver
from skriptoteket.adapters.http.event_stream import EventStream, Streams
from skriptoteket.adapters.http.oversight import OversightDesk
from skriptoteket.adapters.http.submitting import SubmissionDesk
from skriptoteket.adapters.http.used_again import wanted_files
from skriptoteket.core.errors import FieldIssue, MalformedUpload, ValidationFailed
from skriptoteket.core.roles import RUN, Actor
from skriptoteket.core.runs.models import RunState
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.watching import RunWatching

submissions = APIRouter()
router = APIRouter()

Desk = Annotated[SubmissionDesk, inject(SubmissionDesk)]
Watching = Annotated[RunWatching, inject(RunWatching)]
Files = Annotated[ArtifactStore, inject(ArtifactStore)]
Oversight = Annotated[OversightDesk, inject(OversightDesk)]
Rights = Annotated[Actors, inject(Actors)]
Live = Annotated[Streams, inject(Streams)]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "inputs": {"type": "object"},
                        "session_files": {"enum": ["none", "reuse", "clear"]},
                    },
                    "additionalProperties": False,
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "`inputs` as JSON, one part per file, named by its field, and `session_files`",
                    "properties": {
                        "inputs": {"type": "string"},
                        "session_files": {"enum": ["none", "reuse", "clear"]},
                    },
                    "additionalProperties": True,
                }
            },
        },
    }
}


@submissions.post(
    "/tools/{tool}/runs",
    status_code=202,
    response_model=RunDetail,
    openapi_extra=_BODY,
    responses={200: {"model": RunDetail}},
    name="skriptoteket_api_submit",
)
@access(permission=RUN)
async def submit(tool: str, request: Request, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Run a tool: 202 with the waiting run, or 200 with the finished one when it ended within ``Prefer: wait=N``."""
    key = idempotency_key(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        given = _json_values(await request.body())
        submitted = await desk.take_values(principal, tool, dict(given.inputs), key, given.session_files)
    else:
        submitted, _ = await desk.take(request, principal, tool, key)
    more = {"idempotency-replayed": "true"} if submitted.replayed else {}
    return await answered(request, principal, desk, submitted.run.id, more)


@router.get("/runs", name="skriptoteket_api_runs")
@access(permission=RUN)
async def runs(
    principal: CurrentPrincipal,
    watching: Watching,
    state: Annotated[RunState | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=36)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> RunList:
    """One's own runs, newest first."""
    before = None if cursor is None else cursor_of(cursor)
    states = frozenset({state}) if state is not None else None
    rows = await watching.mine(principal.urn, limit + 1, before, states)
    return RunList.of(rows[:limit], more=len(rows) > limit)


@router.get("/runs/{run_id}", name="skriptoteket_api_run")
@access(permission=RUN)
async def run(
    run_id: str, request: Request, principal: CurrentPrincipal, watching: Watching, rights: Rights
) -> RunDetail:
    """One of one's own runs."""
    return detail(request, await watching.see(run_id_of(run_id), await rights.viewer(principal)))


@router.post("/runs/{run_id}/cancel", name="skriptoteket_api_cancel")
@access(permission=RUN)
async def cancel(run_id: str, principal: CurrentPrincipal, desk: Oversight) -> CancelOut:
    """Cancel a run that waits or works; it may be cancelled already."""
    return CancelOut.of(await desk.cancel(principal, run_id_of(run_id)))


@router.get("/runs/{run_id}/logs", name="skriptoteket_api_logs")
@access(permission=RUN)
async def logs(run_id: str, principal: CurrentPrincipal, watching: Watching, rights: Rights) -> LogsOut:
    """What the script printed, for those who may read its source."""
    return LogsOut.of(await watching.logs(run_id_of(run_id), await rights.viewer(principal)))


@router.get("/runs/{run_id}/artifacts", name="skriptoteket_api_artifacts")
@access(permission=RUN)
async def artifacts(
    run_id: str, request: Request, principal: CurrentPrincipal, watching: Watching, rights: Rights
) -> list[ArtifactOut]:
    """The files of a succeeded run."""
    return detail(request, await watching.see(run_id_of(run_id), await rights.viewer(principal))).artifacts


@router.get(
    "/runs/{run_id}/artifacts.zip",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "Every file, streamed."}},
    name="skriptoteket_api_archive",
)
@access(permission=RUN)
async def archive(
    run_id: str, principal: CurrentPrincipal, watching: Watching, rights: Rights, files: Files
) -> Response:
    """Every file of a succeeded run in one archive."""
    tool, found = await watching.artifacts(run_id_of(run_id), await rights.viewer(principal))
    return await archived(files, found, tool.slug)


@router.get(
    "/runs/{run_id}/artifacts/{artifact_id}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "The file, of its own media type."},
        206: {"content": {"application/octet-stream": {}}, "description": "The range that was asked for."},
        304: {"description": "It is what the ETag stands for."},
        416: {"description": "The range is outside the file."},
    },
    name="skriptoteket_api_artifact",
)
@access(permission=RUN)
async def artifact(
    run_id: str,
    artifact_id: str,
    request: Request,
    principal: CurrentPrincipal,
    watching: Watching,
    rights: Rights,
    files: Files,
) -> Response:
    """One file, as a download."""
    found = await watching.artifact(run_id_of(run_id), artifact_id, await rights.viewer(principal))
    return await deliver(request, files, found)


@router.get(
    "/runs/{run_id}/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events until the run is over."}},
    name="skriptoteket_api_events",
)
@access(permission=RUN)
async def events(
    run_id: str,
    request: Request,
    principal: CurrentPrincipal,
    watching: Watching,
    rights: Rights,
    streams: Live,
) -> Response:
    """Server-sent events of a run until it is over; ``Last-Event-ID`` resumes."""
    wanted = run_id_of(run_id)
    last = request.headers.get("last-event-id", "")
    viewer = await rights.viewer(principal)
    await watching.see(wanted, viewer)
    after = await watching.resumed_after(wanted, int(last) if last.isdecimal() and len(last) < 10 else 0)
    stream = await streams.begin(principal.urn)

    async def look() -> Actor:
        return await rights.viewer(principal) if await rights.holds(principal, RUN) else Actor("")

    told = EventStream(streams, watching, wanted, viewer, look, stream, after).told()
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(told, media_type="text/event-stream", headers=headers)


def _json_values(body: bytes) -> JsonSubmission:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedUpload("the body is no JSON.") from None
    known = isinstance(given, dict) and not set(given) - {"inputs", "session_files"}
    if not known or not isinstance(given.get("inputs", {}), dict):
        text = 'must be an object {"inputs": {…}, "session_files": …} and nothing else'
        raise ValidationFailed([FieldIssue("body", "type", text)])
    session_files = wanted_files([str(given["session_files"])] if "session_files" in given else ())
    return JsonSubmission(inputs=given.get("inputs", {}), session_files=session_files)
