"""The audit log for administrators: filter, look at one event with its proof, verify, take it away."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.audit.models import Wanted
from au_sys_identity.core.audit.reading import Audit, Verdict
from au_sys_identity.core.errors import StepUpRequired
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

AUDIT = "/admin/identity/audit"
_ON_A_PAGE = 50
Log = Annotated[Audit, inject(Audit)]
Shown = Annotated[Pages, inject(Pages)]
Text = Annotated[str, Query(max_length=400)]


@router.get(AUDIT)
@access(permission="identity.audit.read")
async def audit_page(
    request: Request,
    pages: Shown,
    log: Log,
    actor: Text = "",
    action: Text = "",
    target: Text = "",
    outcome: Annotated[str, Query(max_length=20)] = "",
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> Response:
    """Events, newest first."""
    return await _page(
        request, pages, log, Wanted(actor.strip(), action.strip(), target.strip(), outcome, before=before)
    )


@router.get(f"{AUDIT}/export")
@access(permission="identity.audit.export")
async def export_page(request: Request, log: Log, steps: Annotated[StepUp, inject(StepUp)]) -> Response:
    """The bundle for the stand-alone verifier."""
    caller = caller_of(request)
    try:
        await steps.require(caller)
    except StepUpRequired:
        return ask_again(AUDIT)
    await log.note(caller.urn, "audit.exported", {})
    headers = {"content-disposition": 'attachment; filename="audit.ndjson"', "cache-control": "no-store"}
    return StreamingResponse(_encoded(log.export()), media_type="application/x-ndjson", headers=headers)


@router.get(f"{AUDIT}/{{event_id}}")
@access(permission="identity.audit.read")
async def event_page(request: Request, event_id: UUID, pages: Shown, log: Log) -> Response:
    """One event, and what proves that it is in the log."""
    event = await log.get(event_id)
    proof = await log.prove_inclusion(event_id=event_id)
    await log.note(caller_of(request).urn, "audit.read", {"event": str(event_id)})
    path = "\n".join(step.hex() for step in proof.path) or "none: it is the only entry"
    return await pages.render(request, "identity/audit_event.html", {"event": event, "proof": proof, "path": path})


@router.post(AUDIT)
@access(permission="identity.audit.verify")
async def verify_page(request: Request, pages: Shown, log: Log) -> Response:
    """Recompute the whole log now."""
    verdict = await log.verify()
    await log.note(caller_of(request).urn, "audit.verified", {"findings": len(verdict.report.findings)})
    return await _page(request, pages, log, Wanted(), verdict)


async def _page(request: Request, pages: Pages, log: Audit, wanted: Wanted, verdict: Verdict | None = None) -> Response:
    found = await log.find(
        Wanted(wanted.actor, wanted.action, wanted.target, wanted.outcome, before=wanted.before, limit=_ON_A_PAGE + 1)
    )
    filters = {
        name: getattr(wanted, name) for name in ("actor", "action", "target", "outcome") if getattr(wanted, name)
    }
    if verdict is None:
        await log.note(caller_of(request).urn, "audit.read", filters)
    more = len(found) > _ON_A_PAGE
    context: dict[str, object] = {
        "events": found[:_ON_A_PAGE],
        "wanted": wanted,
        "next": urlencode({**filters, "before": found[_ON_A_PAGE - 1].leaf_index}) if more else "",
        "verdict": verdict,
    }
    return await pages.render(request, "identity/audit.html", context)


async def _encoded(lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for line in lines:
        yield line.encode()
