"""A run as JSON: as it is, or as the answer to whoever began it and may want to wait."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import JSONResponse

from fastapi_services_platform import Principal
from skriptoteket.adapters.api.schemas.runs import RunDetail
from skriptoteket.adapters.http.acting import waiting_time
from skriptoteket.adapters.http.submitting import SubmissionDesk
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.watching import SeenRun


def detail(request: Request, seen: SeenRun) -> RunDetail:
    """The wire shape of a run, with an address for each of its files."""
    urls = {
        artifact.artifact_id: request.url_for(
            "skriptoteket_api_artifact", run_id=str(seen.run.id), artifact_id=artifact.artifact_id
        ).path
        for artifact in seen.artifacts
    }
    return RunDetail.seen(seen, urls)


async def answered(
    request: Request, principal: Principal, desk: SubmissionDesk, run_id: RunId, more: Mapping[str, str] | None = None
) -> JSONResponse:
    """202 with the waiting run, or 200 with the finished one when it ended within ``Prefer: wait=N``."""
    waited = waiting_time(request)
    seen = await desk.wait(run_id, principal.urn, waited)
    headers = {"location": request.url_for("skriptoteket_api_run", run_id=str(run_id)).path, **(more or {})}
    done = bool(waited) and seen.run.state.terminal
    if done:
        headers["preference-applied"] = f"wait={int(waited.total_seconds())}"
    return JSONResponse(detail(request, seen).model_dump(mode="json"), 200 if done else 202, headers)
