"""Routes of the audit log: read, prove, check, export. Reading is an event, too."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.audit import (
    ConsistencyOut,
    EventOut,
    EventsOut,
    HeadOut,
    InclusionOut,
    ReportOut,
)
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.audit.models import Wanted
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.errors import InvalidInput
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/audit", tags=["audit"])

Log = Annotated[Audit, inject(Audit)]
_LARGEST = 2**53


@router.get("/events", operation_id="list_audit_events", summary="What happened")
@access(permission="identity.audit.read")
async def list_audit_events(
    request: Request,
    log: Log,
    page: Paged,
    actor: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=120)] = "",
    target: Annotated[str, Query(max_length=400)] = "",
    outcome: Literal["success", "denied", "failed"] | None = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
) -> EventsOut:
    """Newest first; ``action`` is the beginning of one."""
    wanted = Wanted(
        actor,
        action,
        target,
        outcome or "",
        _aware(since),
        _aware(until),
        page.offset if page.begin else None,
        page.limit + 1,
    )
    found = await log.find(wanted)
    filters = {"actor": actor, "action": action, "target": target, "outcome": outcome}
    await log.note(caller_of(request).urn, "audit.read", {name: value for name, value in filters.items() if value})
    items = [EventOut.of(shown) for shown in found[: page.limit]]
    return EventsOut(items=items, next_cursor=page.next(items[-1].leaf_index) if len(found) > page.limit else None)


@router.get("/events/{event_id}", operation_id="get_audit_event", summary="One event")
@access(permission="identity.audit.read")
async def get_audit_event(request: Request, event_id: UUID, log: Log) -> EventOut:
    """With its details, unless they were erased."""
    found = await log.get(event_id)
    await log.note(caller_of(request).urn, "audit.read", {"event": str(event_id)})
    return EventOut.of(found)


@router.get("/heads/latest", operation_id="get_audit_head", summary="The newest signed head")
@access(permission="identity.audit.read")
async def get_audit_head(log: Log) -> HeadOut:
    """Over everything that is in the log now, with the public key that checks it."""
    head = await log.latest_head()
    return HeadOut.of(head, (await log.public_keys()).get(head.key_id))


@router.get("/proofs/inclusion", operation_id="prove_audit_inclusion", summary="Prove that an event is in the log")
@access(permission="identity.audit.read")
async def prove_audit_inclusion(
    log: Log,
    event_id: UUID | None = None,
    leaf_index: Annotated[int | None, Query(ge=0, le=_LARGEST)] = None,
    tree_size: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
) -> InclusionOut:
    """In the head of that size, or in the newest one."""
    if (event_id is None) == (leaf_index is None):
        raise InvalidInput("event_id", "or leaf_index is needed, and not both", "Name the event in one way.")
    return InclusionOut.of(await log.prove_inclusion(event_id=event_id, leaf_index=leaf_index, tree_size=tree_size))


@router.get("/proofs/consistency", operation_id="prove_audit_consistency", summary="Prove that the log only grew")
@access(permission="identity.audit.read")
async def prove_audit_consistency(
    log: Log,
    first: Annotated[int, Query(alias="from", ge=1, le=_LARGEST)],
    second: Annotated[int, Query(alias="to", ge=1, le=_LARGEST)],
) -> ConsistencyOut:
    """Between two sizes of the tree."""
    return ConsistencyOut.of(await log.prove_consistency(first, second))


@router.post("/verify", operation_id="verify_audit", summary="Recompute the whole log")
@access(permission="identity.audit.verify")
async def verify_audit(request: Request, log: Log) -> ReportOut:
    """Against every head and witness; each defect is named with its first leaf."""
    verdict = await log.verify()
    found = verdict.report.findings
    details = {"leaves": verdict.report.leaves, "findings": len(found), "first": found[0].kind if found else None}
    await log.note(caller_of(request).urn, "audit.verified", details)
    return ReportOut.of(verdict, datetime.now(UTC))


@router.get(
    "/export",
    operation_id="export_audit",
    summary="The whole log as a bundle for the stand-alone verifier",
    response_class=Response,
    responses={200: {"content": {"application/x-ndjson": {}}, "description": "One JSON object a line."}},
)
@access(permission="identity.audit.export")
async def export_audit(request: Request, log: Log, steps: Annotated[StepUp, inject(StepUp)]) -> StreamingResponse:
    """Personal details stay sealed in it."""
    caller = caller_of(request)
    await steps.require(caller)
    await log.note(caller.urn, "audit.exported", {})
    return StreamingResponse(
        _encoded(log.export()),
        media_type="application/x-ndjson",
        headers={"content-disposition": 'attachment; filename="audit.ndjson"', "cache-control": "no-store"},
    )


async def _encoded(lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for line in lines:
        yield line.encode()


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
