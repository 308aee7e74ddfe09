"""Ask for access and follow it; and for those who may, decide."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, InvalidInput, StepUpRequired, WeakSession
from au_sys_identity.core.workflow.models import AccessRequest
from au_sys_identity.core.workflow.ports import RequestFilter
from au_sys_identity.core.workflow.requests import Decision, Requests, Wish
from fastapi_services_platform import SubjectDirectory, access
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_MINE, _DESK = "/account/requests", "/admin/identity/requests"
_SHOWN = 100
LENGTHS = (
    ("", "Without end"),
    ("3600", "One hour"),
    ("86400", "One day"),
    ("604800", "One week"),
    ("2592000", "30 days"),
)
Asked = Annotated[Requests, inject(Requests)]
Names = Annotated[SubjectDirectory, inject(SubjectDirectory)]


@router.get("/account/requests")
@access(authenticated=True)
async def own_requests(request: Request, pages: Annotated[Pages, inject(Pages)], wishes: Asked) -> Response:
    """What may be asked for, and what became of what was."""
    return await _own(request, pages, wishes)


@router.post("/account/requests")
@access(authenticated=True)
async def ask_form(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    wishes: Asked,
    role: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    duration: Annotated[str, Form()] = "",
) -> Response:
    """Ask."""
    try:
        await wishes.submit(caller_of(request), Wish(role, "default", reason, None, _length(duration)))
    except IdentityError as error:
        return await _own(request, pages, wishes, error=error, typed=(role[:80], reason[:2000], duration[:20]))
    return RedirectResponse(f"{_MINE}?saved=asked", 303)


@router.post("/account/requests/{request_id}/withdraw")
@access(authenticated=True)
async def withdraw_form(
    request: Request, request_id: UUID, pages: Annotated[Pages, inject(Pages)], wishes: Asked
) -> Response:
    """Take it back."""
    try:
        await wishes.withdraw(caller_of(request), request_id)
    except IdentityError as error:
        return await _own(request, pages, wishes, error=error)
    return RedirectResponse(f"{_MINE}?saved=withdrawn", 303)


@router.get("/admin/identity/requests")
@access(permission="identity.requests.decide")
async def requests_desk(
    request: Request, pages: Annotated[Pages, inject(Pages)], wishes: Asked, names: Names
) -> Response:
    """What waits for a decision, and what was decided lately."""
    return await _desk(request, pages, wishes, names)


@router.post("/admin/identity/requests/{request_id}")
@access(permission="identity.requests.decide")
async def decide_form(
    request: Request,
    request_id: UUID,
    pages: Annotated[Pages, inject(Pages)],
    wishes: Asked,
    names: Names,
    steps: Annotated[StepUp, inject(StepUp)],
    decision: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Give or deny."""
    caller = caller_of(request)
    said = Decision("approve" if decision == "approve" else "deny", note)
    try:
        await steps.require(caller)
        await wishes.decide(caller, request_id, said)
    except (StepUpRequired, WeakSession):
        return ask_again(_DESK)
    except IdentityError as error:
        return await _desk(request, pages, wishes, names, error=str(error))
    return RedirectResponse(f"{_DESK}?saved={'given' if said.verdict == 'approve' else 'denied'}", 303)


async def _own(
    request: Request,
    pages: Pages,
    wishes: Requests,
    *,
    error: IdentityError | None = None,
    typed: tuple[str, str, str] = ("", "", ""),
) -> Response:
    caller = caller_of(request)
    found = await wishes.page(RequestFilter(caller.id, limit=_SHOWN))
    context: dict[str, object] = {
        "offered": [(role.name, f"{role.name}: {role.description}") for role in await wishes.offered()],
        "lengths": list(LENGTHS),
        "requests": _shown(found),
        "role": typed[0],
        "reason": typed[1],
        "duration": typed[2],
        "error": str(error) if error else "",
        "error_field": error.field if isinstance(error, InvalidInput) else "",
        "saved": request.query_params.get("saved", ""),
    }
    return await pages.render(request, "identity/requests.html", context, status_code=400 if error else 200)


async def _desk(
    request: Request, pages: Pages, wishes: Requests, names: SubjectDirectory, *, error: str = ""
) -> Response:
    caller = caller_of(request)
    found = await wishes.page(RequestFilter(limit=_SHOWN))
    cards = await names.many([urn for known in found for urn in (known.requester, known.subject)])
    shown = _shown(found)
    for item, known in zip(shown, found, strict=True):
        item["who"] = card.display_name if (card := cards.get(known.requester)) else known.requester
        item["whom"] = card.display_name if (card := cards.get(known.subject)) else known.subject
        item["own"] = caller.urn in (known.requester, known.subject)
    context: dict[str, object] = {
        "waiting": [item for item in shown if item["state"] == "submitted"],
        "earlier": [item for item in shown if item["state"] != "submitted"],
        "error": error,
        "saved": request.query_params.get("saved", ""),
    }
    return await pages.render(request, "identity/requests_desk.html", context, status_code=400 if error else 200)


def _shown(found: list[AccessRequest]) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    return [
        {
            "id": known.id,
            "subject": known.subject,
            "role": known.role,
            "domain": known.domain,
            "reason": known.reason,
            "length": dict(LENGTHS).get(_seconds(known), f"{_seconds(known)} s"),
            "state": known.state_at(now),
            "until": known.grant_until,
            "note": known.note,
            "at": known.created_at,
        }
        for known in found
    ]


def _seconds(known: AccessRequest) -> str:
    return str(int(known.duration.total_seconds())) if known.duration else ""


def _length(text: str) -> timedelta | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise InvalidInput("duration", "is no number of seconds", "Choose one from the list.")
    return timedelta(seconds=int(text))
