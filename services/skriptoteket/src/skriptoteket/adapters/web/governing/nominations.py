"""Nominate, decide, withdraw, revoke."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, Pages, inject
from skriptoteket.adapters.http.acting import uuid_of
from skriptoteket.adapters.http.nominating import NominationDesk
from skriptoteket.adapters.web.texts import Readers
from skriptoteket.core.errors import Conflict, Forbidden, ValidationFailed
from skriptoteket.core.roles import APPROVE_ADMINS, NOMINATE

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent, and what is wrong with it; an issue without a name is about the whole."""

    issues: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


Desk = Annotated[NominationDesk, inject(NominationDesk)]
Page = Annotated[Pages, inject(Pages)]
Reading = Annotated[Readers, inject(Readers)]


@router.get("/admin/nominations", name="skriptoteket_nominations")
@access(permission=NOMINATE)
async def nominations(
    request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """Everybody who was nominated, newest first, with the form for another one."""
    return await _page(request, principal, desk, pages, people, Filled())


@router.post("/admin/nominations", name="skriptoteket_nominate")
@access(permission=NOMINATE)
async def nominate(request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading) -> Response:
    """File a nomination, or take somebody's right (``act=revoke``); a wrong form is shown again."""
    given = {name: str(value) for name, value in (await request.form()).items()}
    verb = desk.revoke if given.get("act") == "revoke" else desk.nominate
    try:
        await verb(principal, given.get("subject", ""), given.get("rationale", ""))
    except ValidationFailed as error:
        issues = {issue.field: issue.message for issue in error.issues}
        return await _page(request, principal, desk, pages, people, Filled(issues, given, 422))
    except (Conflict, Forbidden) as error:
        status = 409 if isinstance(error, Conflict) else 403
        return await _page(request, principal, desk, pages, people, Filled({"": str(error)}, given, status))
    return RedirectResponse(request.url_for("skriptoteket_nominations").path, 303)


@router.post("/admin/nominations/{nomination_id}/decide", name="skriptoteket_decide_nomination")
@access(permission=APPROVE_ADMINS)
async def decide(
    nomination_id: str, request: Request, principal: CurrentPrincipal, desk: Desk, pages: Page, people: Reading
) -> Response:
    """Approve or deny, with a reason."""
    given = {name: str(value) for name, value in (await request.form()).items()}
    wanted = uuid_of("nomination", nomination_id)
    try:
        await desk.decide(principal, wanted, given.get("verdict", ""), given.get("rationale", ""))
    except ValidationFailed as error:
        told = "; ".join(issue.message for issue in error.issues)
        return await _page(request, principal, desk, pages, people, Filled({"": told}, status=422))
    except (Conflict, Forbidden) as error:
        status = 409 if isinstance(error, Conflict) else 403
        return await _page(request, principal, desk, pages, people, Filled({"": str(error)}, status=status))
    return RedirectResponse(request.url_for("skriptoteket_nominations").path, 303)


@router.post("/admin/nominations/{nomination_id}/withdraw", name="skriptoteket_withdraw_nomination")
@access(permission=NOMINATE)
async def withdraw(nomination_id: str, request: Request, principal: CurrentPrincipal, desk: Desk) -> Response:
    """Take one's own back."""
    await desk.withdraw(principal, uuid_of("nomination", nomination_id))
    return RedirectResponse(request.url_for("skriptoteket_nominations").path, 303)


async def _page(
    request: Request,
    principal: CurrentPrincipal,
    desk: NominationDesk,
    pages: Pages,
    people: Readers,
    filled: Filled,
) -> Response:
    actor = await desk.actor(principal)
    rows = await desk.nominating.every(actor)
    urns = {urn for one, decision in rows for urn in (one.nominee, one.nominator, decision.by if decision else "")}
    context = {
        "reader": people.of(principal, request),
        "rows": rows,
        "names": await desk.people.names(frozenset(urns - {""})),
        "me": principal.urn,
        "decides": actor.holds(APPROVE_ADMINS),
        "nobody_grants": desk.roles is None,
        "issues": filled.issues,
        "given": filled.given,
    }
    return await pages.render(request, "skriptoteket/nominations.html", context, filled.status)
