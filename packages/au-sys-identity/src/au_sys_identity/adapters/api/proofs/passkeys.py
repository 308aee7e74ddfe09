"""Passkey routes: options, sign-in, and the passkeys of an account."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of, caller_or_none
from au_sys_identity.adapters.api.door.session_cookies import flow_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.api.schemas.proofs.passkeys import (
    OptionsOut,
    PasskeyAskBody,
    PasskeyLoginBody,
    PasskeyNameBody,
    PasskeyNew,
    PasskeyOut,
    PasskeysOut,
)
from au_sys_identity.adapters.api.schemas.proofs.sessions import TokensOut
from au_sys_identity.adapters.api.token_answers import TokenAnswers
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import HumanOnly, InvalidInput
from au_sys_identity.core.factors.passkeys import Passkeys
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.models import SessionId
from au_sys_identity.core.sessions.passkey_sign_in import PasskeySignIn
from au_sys_identity.core.sessions.volume import Volume
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["passkeys"])


@router.post("/auth/passkeys/options", operation_id="passkey_options", summary="Options for a passkey step")
@access(public=True)
@within_volume
async def passkey_options(
    request: Request,
    response: Response,
    body: PasskeyAskBody,
    sign_in: Annotated[PasskeySignIn, inject(PasskeySignIn)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
) -> OptionsOut:
    """Good for five minutes, once, and for whoever keeps the cookie that comes with them."""
    flow = flow_of(request, response, cookies)
    response.headers["cache-control"] = "no-store"
    if body.purpose == "second-step":
        if body.mfa_token is None:
            raise InvalidInput("mfa_token", "is missing", "Send the one of the problem mfa-required.")
        return OptionsOut(**await sign_in.options_for_second_step(body.mfa_token, flow))
    if body.purpose == "step-up":
        caller = caller_or_none(request)
        if caller is None or caller.session_id is None:
            raise HumanOnly
        return OptionsOut(**await sign_in.options_to_confirm(caller.id, flow))
    return OptionsOut(**await sign_in.options(body.email, flow))


@router.post("/auth/passkeys/login", operation_id="passkey_login", summary="Sign in with a passkey")
@access(public=True)
async def passkey_login(
    request: Request,
    response: Response,
    body: PasskeyLoginBody,
    sign_in: Annotated[PasskeySignIn, inject(PasskeySignIn)],
    answers: Annotated[TokenAnswers, inject(TokenAnswers)],
    volume: Annotated[Volume, inject(Volume)],
) -> TokensOut:
    """What the authenticator made of the options in, tokens out."""
    client = answers.client(request, body.transport, instance=body.client_instance, label=body.device_name)
    await volume.sign_in(client)
    opened = await sign_in.sign_in(json.dumps(body.assertion), client=client, kind="token")
    return await answers.opened(response, opened, client, body.transport)


@router.get("/mfa/passkeys", operation_id="list_passkeys", summary="My passkeys")
@access(authenticated=True)
async def list_passkeys(request: Request, passkeys: Annotated[Passkeys, inject(Passkeys)]) -> PasskeysOut:
    """Oldest first."""
    return PasskeysOut(items=[PasskeyOut.of(known) for known in await passkeys.of_subject(caller_of(request).id)])


@router.post("/mfa/passkeys/options", operation_id="new_passkey_options", summary="Options for a new passkey")
@access(authenticated=True)
async def new_passkey_options(
    request: Request,
    response: Response,
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> OptionsOut:
    """Good for five minutes, once, in this session."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    response.headers["cache-control"] = "no-store"
    return OptionsOut(**await passkeys.options(await accounts.get(caller.id), _session(caller)))


@router.post("/mfa/passkeys", operation_id="register_passkey", summary="Register a passkey", status_code=201)
@access(authenticated=True)
async def register_passkey(
    request: Request,
    body: PasskeyNew,
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> PasskeyOut:
    """What the authenticator made of the options in; from now on it counts."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    person = await accounts.get(caller.id)
    made = await passkeys.register(person, _session(caller), json.dumps(body.attestation), body.name)
    return PasskeyOut.of(made)


@router.patch("/mfa/passkeys/{passkey_id}", operation_id="rename_passkey", summary="Name a passkey")
@access(authenticated=True)
async def rename_passkey(
    request: Request,
    passkey_id: UUID,
    body: PasskeyNameBody,
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> PasskeyOut:
    """Give it a name that I recognize."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    return PasskeyOut.of(await passkeys.rename(caller.id, passkey_id, body.name))


@router.delete("/mfa/passkeys/{passkey_id}", operation_id="remove_passkey", summary="Remove a passkey", status_code=204)
@access(authenticated=True)
async def remove_passkey(
    request: Request,
    passkey_id: UUID,
    passkeys: Annotated[Passkeys, inject(Passkeys)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> Response:
    """It is worth nothing from now on."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    await passkeys.remove(await accounts.get(caller.id), passkey_id)
    return Response(status_code=204)


def _session(caller: Principal) -> SessionId:
    if caller.session_id is None:
        raise HumanOnly
    return caller.session_id
