"""Introspection (RFC 7662) and revocation (RFC 7009) routes; both take a form."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.proofs.oauth_tokens import IntrospectionOut
from au_sys_identity.core.tokens.introspection import Introspection
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(prefix="/oauth", tags=["tokens"])

Token = Annotated[str, Form(min_length=1, max_length=16_384)]
Hint = Annotated[str | None, Form(max_length=40)]


@router.post(
    "/introspect",
    operation_id="introspect_token",
    summary="Whether a token is good",
    response_model_exclude_none=True,
)
@access(authenticated=True)
async def introspect_token(
    request: Request,
    response: Response,
    introspection: Annotated[Introspection, inject(Introspection)],
    token: Token,
    token_type_hint: Hint = None,
) -> IntrospectionOut:
    """Access tokens, refresh tokens and API keys: one's own, or with ``identity.tokens.introspect`` anybody's.
    Everything else is ``active: false``, whatever the cause. The kind of token is found without the hint."""
    response.headers["cache-control"] = "no-store"
    found = await introspection.about(token, caller=caller_of(request))
    return IntrospectionOut.of(found, introspection.issuer) if found else IntrospectionOut(active=False)


@router.post("/revoke", operation_id="revoke_token", summary="End a token", status_code=200)
@access(authenticated=True)
async def revoke_token(
    request: Request,
    introspection: Annotated[Introspection, inject(Introspection)],
    token: Token,
    token_type_hint: Hint = None,
) -> Response:
    """The session of an access or refresh token ends; a key is revoked. An unknown token is answered alike."""
    await introspection.revoke(token, caller=caller_of(request))
    return Response(status_code=200)
