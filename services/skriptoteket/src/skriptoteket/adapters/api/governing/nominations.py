"""Nomination routes: who may become administrator of the library."""

from typing import Annotated

from fastapi import APIRouter

from fastapi_services_platform import access
from fastapi_services_platform.fastapi import CurrentPrincipal, inject
from skriptoteket.adapters.api.schemas.nominations import NominationIn, NominationOut, NominationVerdictIn
from skriptoteket.adapters.http.acting import uuid_of
from skriptoteket.adapters.http.nominating import NominationDesk
from skriptoteket.core.roles import APPROVE_ADMINS, NOMINATE

router = APIRouter()

Desk = Annotated[NominationDesk, inject(NominationDesk)]


@router.get("/admin/nominations", name="skriptoteket_api_nominations")
@access(permission=NOMINATE)
async def nominations(principal: CurrentPrincipal, desk: Desk) -> list[NominationOut]:
    """All of them with their decisions, newest first."""
    return [NominationOut.of(*row) for row in await desk.nominating.every(await desk.actor(principal))]


@router.post("/admin/nominations", status_code=201, name="skriptoteket_api_nominate")
@access(permission=NOMINATE)
async def nominate(body: NominationIn, principal: CurrentPrincipal, desk: Desk) -> NominationOut:
    """Nominate a contributor; never oneself, one at a time."""
    return NominationOut.of(await desk.nominate(principal, body.subject, body.rationale))


@router.post("/admin/nominations/{nomination_id}/decide", name="skriptoteket_api_decide_nomination")
@access(permission=APPROVE_ADMINS)
async def decide(
    nomination_id: str, body: NominationVerdictIn, principal: CurrentPrincipal, desk: Desk
) -> NominationOut:
    """Approve or deny; the right follows the record. Not by the nominator, not by the nominee."""
    wanted = uuid_of("nomination", nomination_id)
    return NominationOut.of(*await desk.decide(principal, wanted, body.verdict, body.rationale))


@router.post("/admin/nominations/{nomination_id}/withdraw", name="skriptoteket_api_withdraw_nomination")
@access(permission=NOMINATE)
async def withdraw(nomination_id: str, principal: CurrentPrincipal, desk: Desk) -> NominationOut:
    """Take one's own nomination back while nobody decided it."""
    return NominationOut.of(await desk.withdraw(principal, uuid_of("nomination", nomination_id)))


@router.post("/admin/revocations", status_code=201, name="skriptoteket_api_revoke_admin")
@access(permission=APPROVE_ADMINS)
async def revoke(body: NominationIn, principal: CurrentPrincipal, desk: Desk) -> NominationOut:
    """Take the right of an administrator, on the same record; never one's own."""
    return NominationOut.of(*await desk.revoke(principal, body.subject, body.rationale))
