"""Directory runs (E43) and their reports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.authentication import caller_of
from au_sys_identity.adapters.api.schemas.directories import RunOut, RunsOut, SyncBody, SyncStartedOut
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.directories.syncing import Syncing
from au_sys_identity.core.errors import InvalidInput
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/sync", tags=["directories"])

Runs = Annotated[Syncing, inject(Syncing)]


@router.post("/run", operation_id="run_sync", summary="Bring people in line with a directory", status_code=202)
@access(permission="identity.directories.sync")
async def run_sync(
    request: Request, body: SyncBody, syncing: Runs, steps: Annotated[StepUp, inject(StepUp)]
) -> SyncStartedOut:
    """A dry run, unless it says otherwise: the report tells what a real run would do, and it does nothing."""
    caller = caller_of(request)
    kind, _, name = body.source.partition(":")
    if kind != "directory":
        raise InvalidInput("source", "cannot be run yet", "Use directory:<name>.")
    if body.target != "*":
        raise InvalidInput("target", "must be * for a directory", "Leave it out.")
    if not body.dry_run:
        await steps.require(caller)
    run = await syncing.run(name, dry_run=body.dry_run, by=caller.urn)
    return SyncStartedOut(run_id=run.id, state=run.state)


@router.get("/runs", operation_id="list_sync_runs", summary="Runs and their reports")
@access(permission="identity.directories.read")
async def list_sync_runs(syncing: Runs, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> RunsOut:
    """Newest first."""
    return RunsOut(items=[RunOut.of(run) for run in await syncing.newest(limit=limit)])


@router.get("/runs/{run_id}", operation_id="get_sync_run", summary="One run with its report")
@access(permission="identity.directories.read")
async def get_sync_run(run_id: UUID, syncing: Runs, response: Response) -> RunOut:
    """Also while it is under way."""
    response.headers["cache-control"] = "no-store"
    return RunOut.of(await syncing.get(run_id))
