"""Questions about access: check, many, why, what if, never."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.rights.policies import MembershipNew, PolicyNew
from au_sys_identity.adapters.api.schemas.rights.questions import (
    AnswersOut,
    Ask,
    AskMany,
    DecisionOut,
    Preview,
    PreviewOut,
    ProofOut,
    Prove,
    ProveOut,
    QuestionOut,
)
from au_sys_identity.core.access.asking import Asking, checked_question, question_of
from au_sys_identity.core.access.models import role_name, role_subject
from au_sys_identity.core.access.patterns import checked
from au_sys_identity.core.access.rules import Change, Membership, Question, Rule
from au_sys_identity.core.access.ruling import checked_membership, checked_rule
from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.principal import Principal
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["access"])
_ASKING = inject(Asking)


@router.post("/rbac/check", operation_id="check_access", summary="May this subject do this?")
@access(authenticated=True)
async def check_access(request: Request, body: Ask, asking: Annotated[Asking, _ASKING]) -> DecisionOut:
    """About oneself, or with ``identity.access.check`` about anybody; who is unknown may do nothing."""
    caller = caller_of(request)
    subject = caller.urn if body.subject is None else await asking.urn_of(body.subject)
    if subject != caller.urn:
        await _need(asking, caller, "identity.access.check", body.domain)
    question = checked_question(body.question(subject), caller.urn)
    return DecisionOut.of(await asking.check(caller, question, at_least=body.at_least_version, explain=body.explain))


@router.post("/rbac/check:batch", operation_id="check_many", summary="Many questions at once")
@access(permission="identity.access.check")
async def check_many(request: Request, body: AskMany, asking: Annotated[Asking, _ASKING]) -> AnswersOut:
    """Answered in one pass, at one version of the rules."""
    caller = caller_of(request)
    revision, allowed = await asking.batch(caller, body.asked(caller.urn), at_least=body.newest)
    return AnswersOut(version=revision, allowed=allowed)


@router.get("/rbac/explain", operation_id="explain_access", summary="Why may, or may not, this subject do this?")
@access(authenticated=True)
async def explain_access(
    request: Request,
    asking: Annotated[Asking, _ASKING],
    subject: Annotated[str | None, Query(max_length=200)] = None,
    domain: Annotated[str, Query(max_length=64)] = "default",
    resource: Annotated[str | None, Query(max_length=500)] = None,
    action: Annotated[str | None, Query(max_length=120)] = None,
    decision_id: Annotated[str | None, Query(max_length=2000)] = None,
) -> DecisionOut:
    """The shortest proof of a decision, named by its parts or by its id; others' with ``identity.access.explain``."""
    caller = caller_of(request)
    if decision_id is not None:
        question = question_of(decision_id)
    elif resource is None or action is None:
        raise InvalidInput("resource", "is missing", "Name resource and action, or a decision_id.")
    else:
        question = Question(caller.urn if subject is None else await asking.urn_of(subject), domain, resource, action)
    if question.subject != caller.urn:
        await _need(asking, caller, "identity.access.explain", question.domain)
    return DecisionOut.of(await asking.check(caller, checked_question(question), explain=True))


@router.post("/rbac/preview", operation_id="preview_policies", summary="What would a change do?")
@access(permission="identity.policies.read")
async def preview_policies(body: Preview, asking: Annotated[Asking, _ASKING]) -> PreviewOut:
    """Who would gain and who would lose what. Nothing is changed."""
    changes = [Change(False, _item(one)) for one in body.remove] + [Change(True, _item(one)) for one in body.add]
    return PreviewOut.of(*await asking.preview(changes))


@router.post("/rbac/prove", operation_id="prove_policies", summary="Can this never happen?")
@access(permission="identity.policies.read")
async def prove_policies(body: Prove, asking: Annotated[Asking, _ASKING]) -> ProveOut:
    """An exhaustive search through the rules: it holds, or here is a case in which it does not."""
    never = body.never
    if (never.kind is None) == (never.role is None):
        raise InvalidInput("never", "names kind or role", "Name one of them: never.kind or never.role.")
    for field in ("domain", "resource", "action"):
        checked(field, getattr(never, field))
    role = None if never.role is None else role_subject(role_name(never.role))
    revision, subjects, question, proof = await asking.prove(never.invariant(), kind=never.kind, role=role)
    return ProveOut(
        holds=question is None,
        version=revision,
        subjects=subjects,
        counterexample=None if question is None else QuestionOut.of(question),
        proof=None if proof is None else ProofOut.of(proof),
    )


def _item(one: PolicyNew | MembershipNew) -> Rule | Membership:
    return checked_rule(one.rule()) if isinstance(one, PolicyNew) else checked_membership(one.membership())


async def _need(asking: Asking, caller: Principal, permission: str, domain: str) -> None:
    """Whoever may not ask about others learns of nobody."""
    if not await asking.holds(caller, permission, domain):
        raise NotFound("subject")
