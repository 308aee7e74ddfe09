"""Rule routes: list, add, remove, many at once, as text, load anew, reset."""

import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from starlette.responses import PlainTextResponse

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.schemas.rights.policies import (
    Bulk,
    BulkOut,
    Effect,
    ImportOut,
    PoliciesOut,
    PolicyGone,
    PolicyNew,
    PolicyOut,
    RefusedOut,
    ReloadOut,
    Reset,
    ResetOut,
)
from au_sys_identity.adapters.policy.exchange import Manner, given_out, taken_in
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import PolicyFilter, canonical_subject
from au_sys_identity.core.access.rules import Rule
from au_sys_identity.core.access.ruling import Ruling
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import InvalidInput, UnsupportedMedia
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["access"])
_RULING = inject(Ruling)
_STEPS = inject(StepUp)


@router.get("/rbac/policies", operation_id="list_policies", summary="Rules")
@access(permission="identity.policies.read")
async def list_policies(
    ruling: Annotated[Ruling, _RULING],
    page: Paged,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    domain: Annotated[str | None, Query(max_length=64)] = None,
    resource: Annotated[str | None, Query(max_length=500)] = None,
    action: Annotated[str | None, Query(max_length=120)] = None,
    effect: Effect | None = None,
) -> PoliciesOut:
    """Rules of this installation, filtered by any field; those of shipped roles stand with the roles."""
    who = None if subject is None else canonical_subject(subject)
    found = await ruling.page(PolicyFilter(who, domain, resource, action, effect, page.after, page.limit + 1))
    items = [PolicyOut.of(policy) for policy in found[: page.limit]]
    return PoliciesOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("/rbac/policies", operation_id="add_policy", summary="Add a rule", status_code=201)
@access(permission="identity.policies.write")
async def add_policy(
    request: Request,
    response: Response,
    body: PolicyNew,
    ruling: Annotated[Ruling, _RULING],
    steps: Annotated[StepUp, _STEPS],
) -> PolicyOut:
    """Keep a rule; 200 when it was there. Nobody says more than they hold."""
    await steps.require(caller_of(request))
    policy, made = await ruling.add(body.rule(), by=caller_of(request).urn)
    response.status_code = 201 if made else 200
    return PolicyOut.of(policy)


@router.delete("/rbac/policies", operation_id="remove_policy", summary="Remove a rule", status_code=204)
@access(permission="identity.policies.write")
async def remove_policy(
    request: Request,
    ruling: Annotated[Ruling, _RULING],
    steps: Annotated[StepUp, _STEPS],
    body: Annotated[PolicyGone | None, Body()] = None,
    policy_id: Annotated[UUID | None, Query(alias="id")] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    domain: Annotated[str, Query(max_length=64)] = "default",
    resource: Annotated[str | None, Query(max_length=500)] = None,
    action: Annotated[str | None, Query(max_length=120)] = None,
    effect: Effect = "allow",
) -> Response:
    """By its id, or by its five fields; as a query or as a body."""
    await steps.require(caller_of(request))
    asked = body or PolicyGone(
        id=policy_id, subject=subject, domain=domain, resource=resource, action=action, effect=effect
    )
    revision = await ruling.remove(_which(asked), by=caller_of(request).urn)
    return Response(status_code=204, headers={"x-policy-version": str(revision)})


@router.post("/rbac/policies/bulk", operation_id="change_policies", summary="Add or remove many rules")
@access(permission="identity.policies.write")
async def change_policies(
    request: Request, body: Bulk, ruling: Annotated[Ruling, _RULING], steps: Annotated[StepUp, _STEPS]
) -> BulkOut:
    """All or nothing; a dry run tells what would happen."""
    await steps.require(caller_of(request))
    if len(body.policies) + len(body.assignments) > 10_000:
        raise InvalidInput("policies", "are too many", "At most 10 000 rules and assignments together.")
    outcome = await ruling.bulk(
        [policy.rule() for policy in body.policies],
        [assignment.membership() for assignment in body.assignments],
        mode=body.mode,
        dry_run=body.dry_run,
        by=caller_of(request).urn,
    )
    return BulkOut.of(outcome)


@router.get(
    "/rbac/export",
    operation_id="export_policies",
    summary="Rules as Casbin text",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "One rule a line."}},
)
@access(permission="identity.policies.read")
async def export_policies(decisions: Annotated[Decisions, inject(Decisions)]) -> PlainTextResponse:
    """Rules and assignments of this installation; what ends, and what was shipped, is left out."""
    revision, text = await given_out(decisions.policy)
    return PlainTextResponse(text, media_type="text/csv", headers={"x-policy-version": str(revision)})


@router.post(
    "/rbac/import",
    operation_id="import_policies",
    summary="Rules from Casbin text",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
@access(permission="identity.policies.manage")
async def import_policies(
    request: Request,
    ruling: Annotated[Ruling, _RULING],
    steps: Annotated[StepUp, _STEPS],
    mode: Manner = "merge",
    dry_run: bool = True,
) -> ImportOut:
    """A dry run unless told otherwise. With one refused line nothing is changed."""
    await steps.require(caller_of(request))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise UnsupportedMedia("text/csv")
    try:
        text = (await request.body()).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("body", "is not UTF-8", "Save the text as UTF-8.") from None
    taken = await taken_in(ruling, text, mode, dry_run=dry_run, by=caller_of(request).urn)
    refused = [RefusedOut.of(line) for line in taken.refused]
    return ImportOut(**BulkOut.of(taken.outcome).model_dump(), refused=refused)


@router.post("/rbac/management/reload", operation_id="reload_policies", summary="Load the rules anew")
@access(permission="identity.policies.manage")
async def reload_policies(decisions: Annotated[Decisions, inject(Decisions)]) -> ReloadOut:
    """The old rules answer until the new set is whole."""
    began = time.monotonic()
    engine = await decisions.policy.reload()
    taken = round((time.monotonic() - began) * 1000, 3)
    policies, assignments = engine.counts
    return ReloadOut(version=engine.revision, policies=policies, assignments=assignments, milliseconds=taken)


@router.post("/rbac/management/reset", operation_id="reset_policies", summary="Back to the shipped rules")
@access(permission="identity.policies.manage", reversibility="irreversible")
async def reset_policies(
    request: Request, body: Reset, ruling: Annotated[Ruling, _RULING], steps: Annotated[StepUp, _STEPS]
) -> ResetOut:
    """After an automatic backup; the caller stays administrator. For people only."""
    await steps.require(caller_of(request), human=True)
    revision, backup = await ruling.reset(by=caller_of(request).urn)
    return ResetOut(version=revision, backup_id=backup)


def _which(asked: PolicyGone) -> UUID | Rule:
    if asked.id is not None:
        return asked.id
    for field in ("subject", "resource", "action"):
        if getattr(asked, field) is None:
            raise InvalidInput(field, "is missing", "Name the rule by its id, or by all of its fields.")
    subject = canonical_subject(str(asked.subject))
    return Rule(subject, asked.domain, str(asked.resource), str(asked.action), asked.effect)
