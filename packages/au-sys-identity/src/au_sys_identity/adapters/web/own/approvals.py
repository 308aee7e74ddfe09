"""The inbox of approvals: exactly one call, its arguments, how long there is, and yes or no."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.approvals.deciding import Deciding, Decision
from au_sys_identity.core.approvals.models import Approval
from au_sys_identity.core.errors import BadCredentials, IdentityError, StepUpRequired, WeakSession
from fastapi_services_platform import SubjectDirectory, access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/account/approvals"
_SHOWN = 50
_MOST_ROWS = 200
Inbox = Annotated[Deciding, inject(Deciding)]
Names = Annotated[SubjectDirectory, inject(SubjectDirectory)]


@router.get("/account/approvals")
@access(authenticated=True)
async def approvals_page(
    request: Request, pages: Annotated[Pages, inject(Pages)], deciding: Inbox, names: Names
) -> Response:
    """What waits, and what was decided lately."""
    return await _inbox(request, pages, deciding, names)


@router.post("/account/approvals/{approval_id}/options")
@access(authenticated=True)
async def approval_options(request: Request, approval_id: UUID, deciding: Inbox) -> Response:
    """What the browser needs to sign the act: the challenge is its hash."""
    return JSONResponse(await deciding.options(caller_of(request), approval_id), headers={"cache-control": "no-store"})


@router.post("/account/approvals/{approval_id}")
@access(authenticated=True)
async def decide_form(
    request: Request,
    approval_id: UUID,
    pages: Annotated[Pages, inject(Pages)],
    deciding: Inbox,
    names: Names,
    decision: Annotated[str, Form()] = "",
    act_hash: Annotated[str, Form()] = "",
    answer: Annotated[str, Form()] = "",
) -> Response:
    """Approve or deny the act that the form showed."""
    try:
        seen = bytes.fromhex(act_hash)
    except ValueError:
        seen = b""
    said = Decision("approve" if decision == "approve" else "deny", seen, answer or None)
    try:
        await deciding.decide(caller_of(request), approval_id, said)
    except (StepUpRequired, WeakSession):
        return ask_again(_HERE)
    except BadCredentials:
        return await _inbox(request, pages, deciding, names, error=marked("This passkey does not fit. Try again."))
    except IdentityError as error:
        return await _inbox(request, pages, deciding, names, error=str(error))
    return RedirectResponse(f"{_HERE}?saved={'approved' if said.verdict == 'approve' else 'denied'}", 303)


async def _inbox(
    request: Request, pages: Pages, deciding: Deciding, names: SubjectDirectory, *, error: str = ""
) -> Response:
    caller, now = caller_of(request), datetime.now(UTC)
    found = (await deciding.inbox(caller))[:_SHOWN]
    cards = await names.many([known.act.requester for known in found])
    shown = [_shown(known, deciding, now, cards) for known in found]
    saved = request.query_params.get("saved", "")
    context: dict[str, object] = {
        "waiting": [item for item in shown if item["state"] == "pending"],
        "earlier": [item for item in shown if item["state"] != "pending"],
        "passkeys": caller.enrolled.passkeys,
        "saved": saved if saved in ("approved", "denied") else "",
        "error": error,
    }
    return await pages.render(request, "identity/approvals.html", context, status_code=400 if error else 200)


def _shown(approval: Approval, deciding: Deciding, now: datetime, cards: Any) -> dict[str, object]:  # Any: cards by URN
    requester = approval.act.requester
    call, card = approval.act.call, cards.get(requester)
    arguments = deciding.arguments(approval)
    return {
        "id": approval.id,
        "who": card.display_name if card else requester,
        "urn": requester,
        "for": approval.act.on_behalf_of,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "rows": list(rows_of(arguments))[:_MOST_ROWS] if arguments is not None else [],
        "hidden": arguments is None and approval.arguments_sealed is None,
        "body_sha256": call.body_sha256,
        "summary": approval.summary,
        "reason": approval.reason,
        "reversibility": approval.reversibility,
        "hash": approval.act.hash().hex(),
        "state": approval.state_at(now),
        "expires_at": approval.expires_at,
        "left": max(0, int((approval.expires_at - now).total_seconds())),
        "decided_at": approval.decided_at,
        "decided_by": approval.decided_by,
        "signed": approval.signature is not None,
        "asks_signature": approval.asks_signature(deciding.rules),
    }


def rows_of(value: Any, place: str = "") -> Iterator[tuple[str, str]]:  # Any: JSON
    """Each value of a JSON document with the place where it stands, so that nothing is overlooked in nesting."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from rows_of(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from rows_of(inner, f"{place}[{number}]")
    else:
        shown = {None: "null", True: "true", False: "false"}.get(value, "") if isinstance(value, bool | None) else ""
        empty = "(nothing)" if value in ({}, []) else str(value)
        yield place or "(whole body)", shown or empty
