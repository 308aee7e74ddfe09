"""Second-step, step-up and second-factor routes."""

import json
from typing import Annotated

from fastapi import APIRouter, Request, Response

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import keep_device, keep_session
from au_sys_identity.adapters.api.proofs.qr import qr_svg
from au_sys_identity.adapters.api.schemas.proofs.factors import (
    CodeBody,
    MfaVerifyBody,
    RecoveryCodesLeftOut,
    RecoveryCodesOut,
    StepUpBody,
    TotpOut,
)
from au_sys_identity.adapters.api.schemas.proofs.passkeys import Assertion
from au_sys_identity.adapters.api.schemas.proofs.sessions import TokensOut
from au_sys_identity.adapters.api.token_answers import TokenAnswers
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.derivation import new_secret
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.factors.models import Method
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.sessions.volume import Volume
from au_sys_identity.core.subjects.models import person_id
from au_sys_identity.core.tokens.issuing import Issuing
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["factors"])


@router.post("/auth/mfa/verify", operation_id="verify_mfa", summary="Second step of a sign-in")
@access(public=True)
async def verify_mfa(
    request: Request,
    response: Response,
    body: MfaVerifyBody,
    sign_in: Annotated[SignIn, inject(SignIn)],
    answers: Annotated[TokenAnswers, inject(TokenAnswers)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    volume: Annotated[Volume, inject(Volume)],
) -> TokensOut:
    """The token of the problem ``mfa-required`` and a code or a passkey's assertion in, tokens out."""
    client = answers.client(request, body.transport, instance=body.client_instance, label=body.device_name)
    await volume.sign_in(client)
    if body.remember_device:
        client = client.with_device(new_secret())
    code = _code(body.method, body.code, body.assertion)
    opened = await sign_in.with_second_factor(body.mfa_token, body.method, code, client=client, kind="token")
    if body.remember_device and client.device_token:
        keep_device(response, cookies, client.device_token)
    return await answers.opened(response, opened, client, body.transport)


@router.post(
    "/auth/step-up",
    operation_id="step_up",
    summary="Confirm that it is me",
    responses={204: {"description": "A web session: the new cookie is set."}},
)
@access(authenticated=True)
async def step_up(
    request: Request,
    response: Response,
    body: StepUpBody,
    steps: Annotated[StepUp, inject(StepUp)],
    issuing: Annotated[Issuing, inject(Issuing)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
) -> TokensOut | None:
    """A fresh proof; the session gets a new id."""
    caller = caller_of(request)
    client = client_of(request, cookies, instance=body.client_instance)
    if body.method == "password":
        if body.password is None:
            raise InvalidInput("password", "is missing", "Send the password.")
        opened = await steps.with_password(caller, body.password, client=client)
    else:
        code = _code(body.method, body.code, body.assertion)
        opened = await steps.with_code(caller, body.method, code, client=client)
    response.headers["cache-control"] = "no-store"
    if opened.session.kind == "web":
        keep_session(response, cookies, opened)
        response.status_code = 204
        return None
    return TokensOut.of(await issuing.tokens(opened), opened)


@router.post("/mfa/totp", operation_id="begin_totp", summary="Begin with an authenticator app", status_code=201)
@access(authenticated=True)
async def begin_totp(
    request: Request,
    response: Response,
    steps: Annotated[StepUp, inject(StepUp)],
    accounts: Annotated[Accounts, inject(Accounts)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
) -> TotpOut:
    """A secret that counts once a code of it was confirmed."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    begun = await enrolment.begin_totp(await accounts.get(caller.id))
    response.headers["cache-control"] = "no-store"
    return TotpOut(secret=begun.secret, uri=begun.uri, qr_svg=qr_svg(begun.uri))


@router.post("/mfa/totp/confirm", operation_id="confirm_totp", summary="Enrol the authenticator app")
@access(authenticated=True)
async def confirm_totp(
    request: Request,
    response: Response,
    body: CodeBody,
    steps: Annotated[StepUp, inject(StepUp)],
    accounts: Annotated[Accounts, inject(Accounts)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
) -> RecoveryCodesOut:
    """The first code in, ten recovery codes out."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    response.headers["cache-control"] = "no-store"
    return RecoveryCodesOut(recovery_codes=await enrolment.confirm_totp(await accounts.get(caller.id), body.code))


@router.delete("/mfa/totp", operation_id="remove_totp", summary="Remove the authenticator app", status_code=204)
@access(authenticated=True)
async def remove_totp(
    request: Request,
    steps: Annotated[StepUp, inject(StepUp)],
    accounts: Annotated[Accounts, inject(Accounts)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
) -> Response:
    """App and recovery codes are gone."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    await enrolment.remove_totp(await accounts.get(caller.id), by=caller.urn)
    return Response(status_code=204)


@router.get("/mfa/recovery-codes", operation_id="count_recovery_codes", summary="How many codes are left")
@access(authenticated=True)
async def count_recovery_codes(
    request: Request, enrolment: Annotated[Enrolment, inject(Enrolment)]
) -> RecoveryCodesLeftOut:
    """Unused recovery codes."""
    return RecoveryCodesLeftOut(left=(await enrolment.enrolled(caller_of(request).id)).recovery_codes_left)


@router.post("/mfa/recovery-codes", operation_id="new_recovery_codes", summary="New codes", status_code=201)
@access(authenticated=True)
async def new_recovery_codes(
    request: Request,
    response: Response,
    steps: Annotated[StepUp, inject(StepUp)],
    accounts: Annotated[Accounts, inject(Accounts)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
) -> RecoveryCodesOut:
    """Ten new ones; older ones are dead."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    response.headers["cache-control"] = "no-store"
    return RecoveryCodesOut(recovery_codes=await enrolment.new_recovery_codes(await accounts.get(caller.id)))


@router.post(
    "/users/{user_id}/mfa/reset", operation_id="reset_mfa", summary="Remove somebody's factors", status_code=204
)
@access(permission="identity.users.update")
async def reset_mfa(
    request: Request,
    user_id: str,
    steps: Annotated[StepUp, inject(StepUp)],
    accounts: Annotated[Accounts, inject(Accounts)],
    granting: Annotated[Granting, inject(Granting)],
    enrolment: Annotated[Enrolment, inject(Enrolment)],
) -> Response:
    """For people who lost app and codes; it asks for a fresh proof of the administrator."""
    caller = caller_of(request)
    await steps.require(caller)
    person = await accounts.get(person_id(user_id))
    await granting.check_outranks(caller.urn, person.urn)
    await enrolment.remove_everything(person, by=caller.urn)
    return Response(status_code=204)


def _code(method: Method, code: str | None, assertion: Assertion | None) -> str:
    if method == "passkey":
        if assertion is None:
            raise InvalidInput("assertion", "is missing", "Send what the authenticator made of the options.")
        return json.dumps(assertion)
    if code is None:
        raise InvalidInput("code", "is missing", "Send the code.")
    return code
