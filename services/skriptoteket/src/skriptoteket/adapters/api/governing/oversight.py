"""Runs beyond one's own, and what one does with one's own record: share, remove."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.oversight import AccessIn, AccessOut, ForeignList
from skriptoteket.adapters.http.acting import cursor_of, run_id_of
from skriptoteket.adapters.http.oversight import OversightDesk
from skriptoteket.core.roles import RUN, VIEW_ANY_RUN
from skriptoteket.core.runs.models import OutcomeCode, RunState

router = APIRouter()

Desk = Annotated[OversightDesk, inject(OversightDesk)]


@router.get("/admin/runs", name="skriptoteket_api_admin_runs")
@access(permission=VIEW_ANY_RUN)
async def runs(
    principal: CurrentPrincipal,
    desk: Desk,
    tool: Annotated[str, Query(max_length=128)] = "",
    state: Annotated[RunState | None, Query()] = None,
    outcome: Annotated[OutcomeCode | None, Query()] = None,
    after: Annotated[AwareDatetime | None, Query()] = None,
    before: Annotated[AwareDatetime | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=36)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ForeignList:
    """Everybody's, newest first: who, which tool, when, how it ended. What is in them needs a reason."""
    wanted = await desk.wanted(tool, state or "", outcome or "", after, before)
    actor = await desk.actors.viewer(principal)
    rows = await desk.foreign.page(actor, wanted, limit + 1, None if cursor is None else cursor_of(cursor))
    return ForeignList.of(rows[:limit], more=len(rows) > limit)


@router.post("/admin/runs/{run_id}/access", status_code=201, name="skriptoteket_api_open_run")
@access(permission=VIEW_ANY_RUN)
async def open_run(run_id: str, body: AccessIn, principal: CurrentPrincipal, desk: Desk) -> AccessOut:
    """State a reason, then read `/runs/{id}…` for half an hour. The person sees who and why."""
    return AccessOut.of(await desk.open(principal, run_id_of(run_id), body.reason))


@router.post("/runs/{run_id}/share", status_code=204, name="skriptoteket_api_share_run")
@access(permission=RUN)
async def share(run_id: str, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Let the tool's maintainers see how one's run ended and what it printed; no input, no result, no file."""
    await desk.share(principal, run_id_of(run_id), True)
    return Response(status_code=204)


@router.delete("/runs/{run_id}/share", status_code=204, name="skriptoteket_api_unshare_run")
@access(permission=RUN)
async def unshare(run_id: str, principal: CurrentPrincipal, desk: Desk) -> Response:
    """No longer; idempotent."""
    await desk.share(principal, run_id_of(run_id), False)
    return Response(status_code=204)


@router.delete("/runs/{run_id}", status_code=204, name="skriptoteket_api_remove_run")
@access(permission=RUN)
async def remove(run_id: str, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Remove input, result, files and logs of one's finished run at once; afterwards it answers 410."""
    await desk.remove(principal, run_id_of(run_id))
    return Response(status_code=204)
