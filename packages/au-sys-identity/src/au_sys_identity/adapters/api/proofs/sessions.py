"""Sign-in, refresh and sign-out routes."""

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError

from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.session_cookies import drop_refresh, drop_session
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.api.schemas.proofs.sessions import (
    DeviceOut,
    DevicesOut,
    LoginBody,
    LoginForm,
    LogoutBody,
    RefreshBody,
    RenameBody,
    SessionOut,
    SessionsOut,
    TokensOut,
)
from au_sys_identity.adapters.api.token_answers import TokenAnswers
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.directories.sign_in import DirectorySignIn
from au_sys_identity.core.errors import InvalidInput, SessionEnded, UnsupportedMedia
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import SessionId
from au_sys_identity.core.sessions.refreshing import Refreshing
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.sessions.volume import Volume
from au_sys_identity.core.subjects.names import display_name
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

Model = TypeVar("Model", bound=BaseModel)

router = APIRouter(tags=["sessions"])

_LOGIN_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {"schema": LoginForm.model_json_schema()},
            "application/json": {"schema": LoginBody.model_json_schema()},
        },
    }
}


@router.post("/auth/jwt/login", operation_id="login", summary="Sign in", openapi_extra=_LOGIN_BODY)
@access(public=True)
async def login(
    request: Request,
    response: Response,
    sign_in: Annotated[SignIn, inject(SignIn)],
    directories: Annotated[DirectorySignIn, inject(DirectorySignIn)],
    answers: Annotated[TokenAnswers, inject(TokenAnswers)],
    volume: Annotated[Volume, inject(Volume)],
) -> TokensOut:
    """Form ``username, password`` or JSON ``email, password`` in, tokens out."""
    wanted = await _login_body(request)
    client = answers.client(request, wanted.transport, instance=wanted.client_instance, label=wanted.device_name)
    await volume.sign_in(client, wanted.email)
    if wanted.directory is None:
        opened = await sign_in.with_password(wanted.email, wanted.password, client=client, kind="token")
    else:
        opened = await directories.with_password(
            wanted.directory, wanted.email, wanted.password, client=client, kind="token"
        )
    return await answers.opened(response, opened, client, wanted.transport)


@router.post("/auth/jwt/refresh", operation_id="refresh", summary="Refresh a session")
@access(public=True)
@within_volume
async def refresh(
    request: Request,
    response: Response,
    refreshing: Annotated[Refreshing, inject(Refreshing)],
    answers: Annotated[TokenAnswers, inject(TokenAnswers)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    body: RefreshBody | None = None,
) -> TokensOut:
    """A refresh token in, in body or cookie; the token to use from now on and a new access token out the same way."""
    wanted = body or RefreshBody()
    client = client_of(request, cookies, instance=wanted.client_instance)
    if wanted.refresh_token is not None:
        return await answers.tokens(response, await refreshing.refresh(wanted.refresh_token, client=client), "body")
    kept = request.cookies.get(cookies.refresh)
    if not kept:
        raise SessionEnded
    return await answers.tokens(response, await refreshing.refresh(kept, client=client), "cookie")


@router.post("/auth/jwt/logout", operation_id="logout", summary="Sign out", status_code=204)
@access(authenticated=True)
async def logout(
    request: Request,
    sessions: Annotated[Sessions, inject(Sessions)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    body: LogoutBody | None = None,
) -> Response:
    """End this session, or all; the access token is dead at once."""
    caller = caller_of(request)
    if body is not None and body.everywhere:
        await sessions.end_all(caller.id, by=caller.urn)
    elif caller.session_id is not None:
        await sessions.end(caller.id, caller.session_id, by=caller.urn)
    response = Response(status_code=204)
    drop_session(response, cookies)
    drop_refresh(response, cookies)
    return response


@router.get("/auth/sessions", operation_id="list_sessions", summary="My sessions")
@access(authenticated=True)
async def list_sessions(request: Request, sessions: Annotated[Sessions, inject(Sessions)]) -> SessionsOut:
    """Where I am signed in."""
    caller = caller_of(request)
    living = await sessions.of_subject(caller.id)
    return SessionsOut(items=[SessionOut.of(session, caller.session_id) for session in living])


@router.delete("/auth/sessions", operation_id="end_other_sessions", summary="End my other sessions", status_code=204)
@access(authenticated=True)
async def end_other_sessions(request: Request, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """Sign out everywhere else."""
    caller = caller_of(request)
    await sessions.end_all(caller.id, by=caller.urn, keep=caller.session_id)
    return Response(status_code=204)


@router.patch("/auth/sessions/{session_id}", operation_id="rename_session", summary="Name one of my sessions")
@access(authenticated=True)
async def rename_session(
    request: Request, session_id: UUID, body: RenameBody, sessions: Annotated[Sessions, inject(Sessions)]
) -> SessionOut:
    """Give a session a name that I recognize."""
    caller = caller_of(request)
    renamed = await sessions.rename(caller.id, SessionId(session_id), display_name(body.label, "label"))
    return SessionOut.of(renamed, caller.session_id)


@router.delete(
    "/auth/sessions/{session_id}", operation_id="end_session", summary="End one of my sessions", status_code=204
)
@access(authenticated=True)
async def end_session(request: Request, session_id: UUID, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """Sign out there."""
    caller = caller_of(request)
    await sessions.end(caller.id, SessionId(session_id), by=caller.urn)
    return Response(status_code=204)


@router.get("/auth/devices", operation_id="list_devices", summary="My devices")
@access(authenticated=True)
async def list_devices(
    request: Request,
    sessions: Annotated[Sessions, inject(Sessions)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
) -> DevicesOut:
    """Browsers that signed in before, last seen first."""
    here = digest(request.cookies.get(cookies.device, ""))
    known = await sessions.devices(caller_of(request).id)
    return DevicesOut(
        items=[
            DeviceOut(
                id=device.id,
                label=device.label,
                current=device.token_hash == here,
                last_seen_at=device.last_seen_at,
            )
            for device in known
        ]
    )


@router.delete("/auth/devices/{device_id}", operation_id="forget_device", summary="Forget a device", status_code=204)
@access(authenticated=True)
async def forget_device(request: Request, device_id: UUID, sessions: Annotated[Sessions, inject(Sessions)]) -> Response:
    """It is a stranger from now on, and its sessions end."""
    caller = caller_of(request)
    await sessions.forget_device(caller.id, device_id, by=caller.urn)
    return Response(status_code=204)


async def _login_body(request: Request) -> LoginBody:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _validated(LoginBody, await _json(request))
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_fields=20) as fields:
            form = _validated(LoginForm, {name: str(value) for name, value in fields.items()})
        return LoginBody(
            email=form.username,
            password=form.password,
            directory=form.directory,
            client_instance=form.client_instance,
            device_name=form.device_name,
            transport=form.transport,
        )
    raise UnsupportedMedia("application/x-www-form-urlencoded or application/json")


async def _json(request: Request) -> object:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise InvalidInput("body", "is not JSON", "Send an object with email and password.") from None


def _validated(model: type[Model], value: object) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidInput(field, str(first["msg"]), "See the OpenAPI document for what is expected.") from None
