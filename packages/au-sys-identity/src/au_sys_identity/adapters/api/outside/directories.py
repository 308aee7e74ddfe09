"""Directory runs (E43) and their reports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.directories import IntegrityOut, RunOut, RunsOut, SyncBody, SyncStartedOut
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.directories.syncing import Syncing
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.integrity.checking import Integrity
from au_sys_identity.core.subjects.models import parsed_urn
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/sync", tags=["directories"])

Runs = Annotated[Syncing, inject(Syncing)]


@router.post(
    "/run",
    operation_id="run_sync",
    summary="Bring people or rules in line",
    status_code=202,
    responses={200: {"model": IntegrityOut, "description": "The report of a run of our own house."}},
)
@access(permission="identity.directories.sync")
async def run_sync(
    request: Request,
    response: Response,
    body: SyncBody,
    syncing: Runs,
    steps: Annotated[StepUp, inject(StepUp)],
    integrity: Annotated[Integrity, inject(Integrity)],
) -> SyncStartedOut | IntegrityOut:
    """A dry run, unless it says otherwise: the report tells what a real run would do, and it does nothing. A run of
    our own house (``integrity``) is answered with its report.
    """
    caller = caller_of(request)
    kind, _, name = body.source.partition(":")
    if kind == "integrity":
        if body.target != "*" and parsed_urn(body.target) is None:
            raise InvalidInput("target", "is no URN of a subject", "Give one, or * for everything.")
        if not body.dry_run:
            await steps.require(caller)
        response.status_code = 200
        report = await integrity.run(body.direction, body.target, dry_run=body.dry_run, by=caller.urn)
        return IntegrityOut.model_validate(report)
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
