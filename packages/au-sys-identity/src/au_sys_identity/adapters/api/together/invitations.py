"""Invitations: sent by who runs an organization, accepted by the invited address only."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.cards import People
from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.notices import AcceptBody, InvitationNew, InvitationOut, InvitationsOut
from au_sys_identity.adapters.api.schemas.subjects import UserOut
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.errors import HumanOnly
from au_sys_identity.core.invitations.accepting import Accepting
from au_sys_identity.core.invitations.inviting import Inviting
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["organizations"])

Sent = Annotated[Inviting, inject(Inviting)]
Within = Annotated[Reach, inject(Reach)]
_PLACE = "/iam/organizations/{slug}/invitations"


@router.get(_PLACE, operation_id="list_invitations", summary="Invitations of an organization")
@access(authenticated=True)
async def list_invitations(
    request: Request,
    slug: str,
    inviting: Sent,
    reach: Within,
    page: Paged,
) -> InvitationsOut:
    """Newest first, with what became of them."""
    await reach.organization(caller_of(request), slug, "identity.organizations.write", change=True)
    found = await inviting.of(slug, before=page.after, limit=page.limit + 1)
    items = [InvitationOut.of(invitation, datetime.now(UTC)) for invitation in found[: page.limit]]
    return InvitationsOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post(_PLACE, operation_id="invite", summary="Invite somebody by mail", status_code=201)
@access(authenticated=True)
async def invite(
    request: Request,
    slug: str,
    body: InvitationNew,
    inviting: Sent,
    reach: Within,
    volume: Annotated[Volume, inject(Volume)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
) -> InvitationOut:
    """The answer is the same whether the address has an account or not; the link is in the mail only."""
    caller = caller_of(request)
    await reach.organization(caller, slug, "identity.organizations.write", change=True)
    await volume.mail(client_of(request, cookies), body.email)
    made = await inviting.invite(slug, body.email, role=body.role, by=caller.urn)
    return InvitationOut.of(made, made.created_at)


@router.delete(
    _PLACE + "/{invitation_id}", operation_id="revoke_invitation", summary="Withdraw an invitation", status_code=204
)
@access(authenticated=True)
async def revoke_invitation(
    request: Request, slug: str, invitation_id: UUID, inviting: Sent, reach: Within
) -> Response:
    """Its link is dead at once."""
    caller = caller_of(request)
    await reach.organization(caller, slug, "identity.organizations.write", change=True)
    await inviting.revoke(slug, invitation_id, by=caller.urn)
    return Response(status_code=204)


@router.post("/auth/invitations/accept", operation_id="accept_invitation", summary="Accept an invitation")
@access(authenticated=True)
async def accept_invitation(
    request: Request,
    body: AcceptBody,
    accepting: Annotated[Accepting, inject(Accepting)],
    people: Annotated[People, inject(People)],
) -> UserOut:
    """With the account of the invited address; who has none registers with it."""
    caller = caller_of(request)
    if caller.kind != "person" or caller.session_id is None:
        raise HumanOnly
    return await people.shown(await accepting.accept(body.token, caller.id))
