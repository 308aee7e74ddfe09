"""Verification and reset routes; asking for a mail answers the same for every address."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.cards import People
from au_sys_identity.adapters.api.door.authentication import CookieNames
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import flow_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.api.schemas.proofs.mail_links import (
    AddressBody,
    FlowOut,
    MagicAskBody,
    MagicLoginBody,
    ResetBody,
    TokenBody,
)
from au_sys_identity.adapters.api.schemas.proofs.sessions import TokensOut
from au_sys_identity.adapters.api.schemas.subjects import AcceptedOut, UserOut
from au_sys_identity.adapters.api.token_answers import TokenAnswers
from au_sys_identity.core.accounts.magic_links import MagicLinks
from au_sys_identity.core.accounts.mail_links import MailLinks
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["mail"])


@router.post(
    "/auth/request-verify-token", operation_id="request_verify", summary="Ask for a verification mail", status_code=202
)
@access(public=True)
async def request_verify(
    request: Request,
    body: AddressBody,
    links: Annotated[MailLinks, inject(MailLinks)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
) -> AcceptedOut:
    """A mail goes out if there is an unverified account."""
    await volume.mail(client_of(request, cookies), body.email)
    await links.ask("verify", body.email)
    return AcceptedOut()


@router.post("/auth/verify", operation_id="verify", summary="Verify an address")
@access(public=True)
@within_volume
async def verify(
    request: Request,
    body: TokenBody,
    links: Annotated[MailLinks, inject(MailLinks)],
    people: Annotated[People, inject(People)],
) -> UserOut:
    """The token of the mail in, the account out."""
    return await people.shown(await links.verify(body.token))


@router.post("/auth/forgot-password", operation_id="forgot_password", summary="Ask for a reset mail", status_code=202)
@access(public=True)
async def forgot_password(
    request: Request,
    body: AddressBody,
    links: Annotated[MailLinks, inject(MailLinks)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
) -> AcceptedOut:
    """A mail goes out if there is an account."""
    await volume.mail(client_of(request, cookies), body.email)
    await links.ask("reset", body.email)
    return AcceptedOut()


@router.post("/auth/reset-password", operation_id="reset_password", summary="Set a new password", status_code=204)
@access(public=True)
@within_volume
async def reset_password(request: Request, body: ResetBody, links: Annotated[MailLinks, inject(MailLinks)]) -> Response:
    """All sessions end; a second factor stays in force."""
    network = network_of(request.client.host if request.client else None)
    await links.reset(body.token, body.password, network=network)
    return Response(status_code=204)


@router.post(
    "/auth/magic-link/request", operation_id="request_magic_link", summary="Ask for a sign-in link", status_code=202
)
@access(public=True)
async def request_magic_link(
    request: Request,
    response: Response,
    body: MagicAskBody,
    links: Annotated[MagicLinks, inject(MagicLinks)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
) -> FlowOut:
    """A mail goes out if there is an account; the flow tells the same browser again, in cookie or body."""
    await volume.mail(client_of(request, cookies), body.email)
    flow = flow_of(request, response, cookies)
    await links.ask(body.email, flow=flow, client=client_of(request, cookies, instance=body.client_instance))
    response.headers["cache-control"] = "no-store"
    return FlowOut(flow_id=flow)


@router.post("/auth/magic-link/login", operation_id="magic_link_login", summary="Sign in with a link")
@access(public=True)
async def magic_link_login(
    request: Request,
    response: Response,
    body: MagicLoginBody,
    links: Annotated[MagicLinks, inject(MagicLinks)],
    answers: Annotated[TokenAnswers, inject(TokenAnswers)],
    volume: Annotated[Volume, inject(Volume)],
) -> TokensOut:
    """The token of the mail in, tokens of the strength ``mail`` out."""
    client = answers.client(request, body.transport, instance=body.client_instance, label=body.device_name)
    await volume.sign_in(client)
    opened = await links.sign_in(
        body.token, flow=body.flow_id or client.flow, confirmed=body.confirm, client=client, kind="token"
    )
    return await answers.opened(response, opened, client, body.transport)
