"""Approval routes: a machine asks for one act, who answers for it decides, and anybody may check the receipt."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.declared_acts import proof_not_needed
from au_sys_identity.adapters.api.schemas.proofs.approvals import (
    ApprovalAsk,
    ApprovalDecision,
    ApprovalOut,
    ApprovalsOut,
    ReceiptOut,
)
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.approvals.asking import METHODS, Asking, Wish
from au_sys_identity.core.approvals.deciding import Deciding, Decision
from au_sys_identity.core.approvals.models import Approval
from au_sys_identity.core.approvals.receipt_writing import Receipts
from au_sys_identity.core.errors import InvalidInput
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject, operation

router = APIRouter(prefix="/mfa/delegated", tags=["approvals"])

Inbox = Annotated[Deciding, inject(Deciding)]
Wishes = Annotated[Asking, inject(Asking)]


@router.post("/request", operation_id="request_approval", summary="Ask for the approval of one act", status_code=201)
@access(authenticated=True)
@proof_not_needed
async def request_approval(request: Request, body: ApprovalAsk, asking: Wishes, deciding: Inbox) -> ApprovalOut:
    """Machines only. Everybody who answers for the machine gets it in the inbox and by mail."""
    method = body.method.upper()
    leads_to = operation(request, method, body.path) if method in METHODS else None
    if leads_to is None:
        raise InvalidInput("path", "leads nowhere with this method", "Name an operation of this platform.")
    wish = Wish(
        method,
        body.path,
        body.reason,
        leads_to.reversibility,
        tuple(body.query),
        body.arguments,
        body.body_sha256,
        body.summary,
    )
    return _shown(await asking.ask(caller_of(request), wish), deciding)


@router.post("/approve", operation_id="decide_approval", summary="Approve or deny one act")
@access(authenticated=True)
async def decide_approval(request: Request, body: ApprovalDecision, deciding: Inbox) -> ApprovalOut:
    """For a person who answers for the machine at this moment."""
    assertion = json.dumps(body.assertion) if body.assertion is not None else None
    said = Decision(body.decision, bytes.fromhex(body.act_hash), assertion, body.note)
    return _shown(await deciding.decide(caller_of(request), body.approval_id, said), deciding)


@router.get("", operation_id="list_approvals", summary="What waits for me, or what I asked for")
@access(authenticated=True)
@proof_not_needed
async def list_approvals(
    request: Request,
    asking: Wishes,
    deciding: Inbox,
    state: Literal["pending", "approved", "denied", "withdrawn", "used", "expired"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApprovalsOut:
    """A person's inbox; a machine's own requests. Newest first."""
    caller, now = caller_of(request), datetime.now(UTC)
    found = await (deciding.inbox(caller) if caller.kind == "person" else asking.own(caller))
    wanted = [known for known in found if state is None or known.state_at(now) == state]
    return ApprovalsOut(items=[_shown(known, deciding) for known in wanted[:limit]])


@router.get("/{approval_id}", operation_id="get_approval", summary="One approval")
@access(authenticated=True)
@proof_not_needed
async def get_approval(request: Request, approval_id: UUID, deciding: Inbox) -> ApprovalOut:
    """For its machine, for those who answer for it, and for who decided it."""
    return _shown(await deciding.get(caller_of(request), approval_id), deciding)


@router.delete("/{approval_id}", operation_id="withdraw_approval", summary="Take a request back", status_code=204)
@access(authenticated=True)
@proof_not_needed
async def withdraw_approval(request: Request, approval_id: UUID, asking: Wishes) -> Response:
    """By the machine that asked, before anybody decided."""
    await asking.withdraw(caller_of(request), approval_id)
    return Response(status_code=204)


@router.get("/{approval_id}/receipt", operation_id="get_approval_receipt", summary="The receipt of an approval")
@access(authenticated=True)
@proof_not_needed
async def get_approval_receipt(
    request: Request,
    approval_id: UUID,
    deciding: Inbox,
    receipts: Annotated[Receipts, inject(Receipts)],
    decisions: Annotated[Decisions, inject(Decisions)],
) -> ReceiptOut:
    """What an auditor checks offline with ``python -m au_sys_identity.verify receipt``."""
    caller = caller_of(request)
    readable = await decisions.holds(caller, "identity.audit.read")
    known = await deciding.get(caller, approval_id, readable=readable)
    return ReceiptOut.model_validate(await receipts.of(known))


def _shown(approval: Approval, deciding: Deciding) -> ApprovalOut:
    return ApprovalOut.of(approval, deciding.arguments(approval), datetime.now(UTC))
