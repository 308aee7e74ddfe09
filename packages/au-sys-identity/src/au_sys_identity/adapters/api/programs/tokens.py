"""API-key and signing-key routes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.volume import within_volume
from au_sys_identity.adapters.api.schemas.proofs.tokens import JwksOut, KeyNew, KeyOut, KeySecretOut, KeysOut
from au_sys_identity.adapters.crypto.signing_keys import SigningKeys
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.accounts.administration import Accounts
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import NotFound
from au_sys_identity.core.subjects.models import person_id, subject_urn
from au_sys_identity.core.tokens.keys import ApiKeys
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["tokens"])


@router.get("/auth/api-keys/", operation_id="list_api_keys", summary="API keys")
@access(authenticated=True)
async def list_api_keys(
    request: Request,
    keys: Annotated[ApiKeys, inject(ApiKeys)],
    decisions: Annotated[Decisions, inject(Decisions)],
    owner: Annotated[str | None, Query(max_length=80)] = None,
) -> KeysOut:
    """One's own, or with ``identity.keys.read`` somebody else's."""
    caller = caller_of(request)
    wanted = person_id(owner) if owner else caller.id
    if wanted is None or (wanted != caller.id and not await decisions.holds(caller, "identity.keys.read")):
        raise NotFound("person")
    now, urn = datetime.now(UTC), caller.urn if wanted == caller.id else subject_urn("person", wanted)
    return KeysOut(items=[KeyOut.of(key, urn, now, keys.prefix) for key in await keys.of_owner(wanted)])


@router.post("/auth/api-keys/", operation_id="create_api_key", summary="Make an API key", status_code=201)
@access(authenticated=True)
async def create_api_key(
    request: Request,
    response: Response,
    body: KeyNew,
    keys: Annotated[ApiKeys, inject(ApiKeys)],
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
) -> KeySecretOut:
    """For programs; it holds at most what its owner holds, and is shown this once."""
    caller = caller_of(request)
    await steps.require(caller, own_security=True)
    life = timedelta(seconds=body.expires_in) if body.expires_in else None
    made = await keys.create(await accounts.get(caller.id), body.name, frozenset(body.scopes), expires_in=life)
    response.headers["cache-control"] = "no-store"
    shown = KeyOut.of(made.key, caller.urn, made.key.created_at, made.prefix)
    return KeySecretOut(**shown.model_dump(), secret=made.secret)


@router.delete("/auth/api-keys/{key_id}", operation_id="revoke_api_key", summary="Revoke an API key", status_code=204)
@access(authenticated=True, reversibility="irreversible")
async def revoke_api_key(
    request: Request,
    key_id: UUID,
    keys: Annotated[ApiKeys, inject(ApiKeys)],
    decisions: Annotated[Decisions, inject(Decisions)],
) -> Response:
    """One's own, or with ``identity.keys.revoke`` anybody's; it is dead at once and for good."""
    caller = caller_of(request)
    others = await decisions.holds(caller, "identity.keys.revoke")
    await keys.revoke(key_id, by=caller.urn, owner_id=None if others else caller.id)
    return Response(status_code=204)


@router.get("/.well-known/jwks.json", operation_id="jwks", summary="Public signing keys")
@access(public=True)
@within_volume
async def jwks(request: Request, response: Response, keys: Annotated[SigningKeys, inject(SigningKeys)]) -> JwksOut:
    """Next, active and retiring keys, for whoever verifies access tokens elsewhere."""
    response.headers["cache-control"] = "public, max-age=300"
    return JwksOut(keys=await keys.published())
