"""Access request routes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.rights.workflow import RequestDecision, RequestNew, RequestOut, RequestsOut
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import DEFAULT_DOMAIN
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.workflow.ports import RequestFilter
from au_sys_identity.core.workflow.requests import DECIDES, Decision, Requests, Wish
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/iam/requests", tags=["requests"])

Asked = Annotated[Requests, inject(Requests)]
Rights = Annotated[Decisions, inject(Decisions)]
State = Literal["submitted", "provisioned", "denied", "withdrawn", "expired"]


@router.get("", operation_id="list_access_requests", summary="Access requests")
@access(authenticated=True)
async def list_access_requests(
    request: Request,
    wishes: Asked,
    decisions: Rights,
    page: Paged,
    state: State | None = None,
    domain: Annotated[str, Query(max_length=64)] = DEFAULT_DOMAIN,
) -> RequestsOut:
    """One's own; for those who decide in an organization, everybody's there. Newest first."""
    caller, now = caller_of(request), datetime.now(UTC)
    if await decisions.holds(caller, DECIDES, domain=domain):
        wanted = RequestFilter(None, state, page.after, page.limit + 1, domain)
    else:
        wanted = RequestFilter(caller.id, state, page.after, page.limit + 1)
    found = await wishes.page(wanted)
    items = [RequestOut.of(known, now) for known in found[: page.limit]]
    return RequestsOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("", operation_id="submit_access_request", summary="Ask for access", status_code=201)
@access(authenticated=True)
async def submit_access_request(request: Request, body: RequestNew, wishes: Asked) -> RequestOut:
    """For oneself, or for a machine that one answers for. Roles that are marked as requestable only."""
    life = timedelta(seconds=body.duration) if body.duration else None
    wish = Wish(body.role, body.domain, body.reason, body.subject, life)
    return RequestOut.of(await wishes.submit(caller_of(request), wish), datetime.now(UTC))


@router.get("/{request_id}", operation_id="get_access_request", summary="One access request")
@access(authenticated=True)
async def get_access_request(request: Request, request_id: UUID, wishes: Asked) -> RequestOut:
    """For who asked, whom it is for, and those who decide."""
    caller = caller_of(request)
    known = await wishes.get(caller, request_id)
    return RequestOut.of(known, datetime.now(UTC))


@router.delete("/{request_id}", operation_id="withdraw_access_request", summary="Take it back", status_code=204)
@access(authenticated=True)
async def withdraw_access_request(request: Request, request_id: UUID, wishes: Asked) -> Response:
    """By who asked, before it is decided."""
    await wishes.withdraw(caller_of(request), request_id)
    return Response(status_code=204)


@router.post("/{request_id}/decide", operation_id="decide_access_request", summary="Give or deny")
@access(authenticated=True)
async def decide_access_request(
    request: Request,
    request_id: UUID,
    body: RequestDecision,
    wishes: Asked,
    steps: Annotated[StepUp, inject(StepUp)],
) -> RequestOut:
    """By those who decide there; never by who asked, and never more than one holds. It is effective at once."""
    caller = caller_of(request)
    await steps.require(caller)
    life = timedelta(seconds=body.duration) if body.duration else None
    decided = await wishes.decide(caller, request_id, Decision(body.decision, body.note, life))
    return RequestOut.of(decided, datetime.now(UTC))
