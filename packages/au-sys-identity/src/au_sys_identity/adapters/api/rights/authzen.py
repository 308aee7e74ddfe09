"""The OpenID AuthZEN Authorization API 1.0: evaluation, evaluations and search.

A subject is its URN, or a UUID; a resource of a type is ``/<type>/<id>``; the domain is ``context.domain``. Unknown
members are ignored, members that are missing or of a wrong type are answered with 400.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.api.schemas.rights.questions import KINDS, ProofOut
from au_sys_identity.core.access.asking import Answer, Asking
from au_sys_identity.core.access.rules import Question
from au_sys_identity.core.errors import MalformedRequest
from au_sys_identity.core.principal import Principal
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["authzen"])
Members = Mapping[str, Any]  # Any: JSON of the caller's
_ASKING = inject(Asking)


@dataclass(frozen=True, slots=True)
class DecisionPoint:
    """Where this platform is asked."""

    address: str


_MOST = 1000
_PAGE = 100
_SEMANTICS = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/access/v1/evaluation", operation_id="evaluate", summary="AuthZEN: one decision", openapi_extra=_BODY)
@access(permission="identity.access.check")
async def evaluate(request: Request, asking: Annotated[Asking, _ASKING]) -> Response:
    """May this subject do this to this resource?"""
    found = await _decided(asking, caller_of(request), await _body(request))
    return _answer(request, found)


@router.post(
    "/access/v1/evaluations", operation_id="evaluate_many", summary="AuthZEN: many decisions", openapi_extra=_BODY
)
@access(permission="identity.access.check")
async def evaluate_many(request: Request, asking: Annotated[Asking, _ASKING]) -> Response:
    """Items take what they leave out from the request; an empty list is a single evaluation."""
    body, caller = await _body(request), caller_of(request)
    items = _list(body, "evaluations")
    if not items:
        return _answer(request, await _decided(asking, caller, body))
    if len(items) > _MOST:
        raise MalformedRequest("evaluations", f"has more than {_MOST} items")
    semantic = _text(_object(body, "options", {}), "evaluations_semantic", "execute_all")
    if semantic not in _SEMANTICS:
        raise MalformedRequest("options.evaluations_semantic", f"is none of {', '.join(_SEMANTICS)}")
    parts = ("subject", "action", "resource", "context")
    whole = [{**{part: body[part] for part in parts if part in body}, **_item(item)} for item in items]
    for one in whole:
        _parts(one)
    decisions: list[Members] = []
    for one in whole:
        decision = await _decided(asking, caller, one)
        decisions.append(decision)
        if semantic == ("permit_on_first_permit" if decision["decision"] else "deny_on_first_deny"):
            break
    return _answer(request, {"evaluations": decisions})


@router.post(
    "/access/v1/search/subject", operation_id="search_subjects", summary="AuthZEN: who may?", openapi_extra=_BODY
)
@access(permission="identity.access.check")
async def search_subjects(request: Request, asking: Annotated[Asking, _ASKING]) -> Response:
    """Active subjects of a type who may do this."""
    body = await _body(request)
    kind = _text(_object(body, "subject"), "type")
    if kind not in KINDS:
        return _page(request, body, [])
    found = await asking.who(_domain(body), _resource(body), _text(_object(body, "action"), "name"), KINDS[kind])
    return _page(request, body, [{"type": kind, "id": named.urn} for named in found])


@router.post(
    "/access/v1/search/resource", operation_id="search_resources", summary="AuthZEN: on what?", openapi_extra=_BODY
)
@access(permission="identity.access.check")
async def search_resources(request: Request, asking: Annotated[Asking, _ASKING]) -> Response:
    """Resources that rules name; what a pattern gives is listed with ``properties.pattern``."""
    body = await _body(request)
    kind = _text(_object(body, "resource"), "type")
    found = await asking.what(await _subject(asking, body), _domain(body), kind, _text(_object(body, "action"), "name"))
    prefix = f"/{kind}/"
    results = [
        {"type": kind, "id": name, "properties": {"pattern": True}}
        if pattern
        else {"type": kind, "id": name.removeprefix(prefix)}
        for name, pattern in found
    ]
    return _page(request, body, results)


@router.post(
    "/access/v1/search/action", operation_id="search_actions", summary="AuthZEN: what may she do?", openapi_extra=_BODY
)
@access(permission="identity.access.check")
async def search_actions(request: Request, asking: Annotated[Asking, _ASKING]) -> Response:
    """Actions that rules and permissions name and that are allowed."""
    body = await _body(request)
    found = await asking.how(await _subject(asking, body), _domain(body), _resource(body))
    return _page(request, body, [{"name": name} for name in found])


@router.get("/.well-known/authzen-configuration", operation_id="authzen_configuration", summary="AuthZEN: where to ask")
@access(public=True)
async def authzen_configuration(known: Annotated[DecisionPoint, inject(DecisionPoint)]) -> dict[str, str]:
    """Addresses of the decision point."""
    point = known.address
    return {
        "policy_decision_point": point,
        "access_evaluation_endpoint": f"{point}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{point}/access/v1/evaluations",
        "search_subject_endpoint": f"{point}/access/v1/search/subject",
        "search_resource_endpoint": f"{point}/access/v1/search/resource",
        "search_action_endpoint": f"{point}/access/v1/search/action",
    }


async def _decided(asking: Asking, caller: Principal, body: Members) -> Members:
    subject, resource, action, domain = _parts(body)
    explain = _object(body, "context", {}).get("explain") is True
    urn = await asking.urn_of(subject, KINDS.get(_text(_object(body, "subject"), "type")))
    found = await asking.check(caller, Question(urn, domain, resource, action), explain=explain)
    return {"decision": found.allowed, **({"context": _told(found)} if explain else {})}


def _told(found: Answer) -> Members:
    proof = None if found.proof is None else ProofOut.of(found.proof).model_dump(mode="json")
    reason = {"code": found.code, "text": found.text}
    return {"version": found.revision, "decision_id": found.decision_id, "reason": reason, "proof": proof}


def _parts(body: Members) -> tuple[str, str, str, str]:
    """Subject, resource, action and domain of an evaluation."""
    subject = _object(body, "subject")
    _text(subject, "type")
    return _text(subject, "id"), _resource(body), _text(_object(body, "action"), "name"), _domain(body)


def _resource(body: Members) -> str:
    resource = _object(body, "resource")
    return f"/{_text(resource, 'type')}/{_text(resource, 'id')}"


async def _subject(asking: Asking, body: Members) -> str:
    subject = _object(body, "subject")
    return await asking.urn_of(_text(subject, "id"), KINDS.get(_text(subject, "type")))


def _domain(body: Members) -> str:
    return _text(_object(body, "context", {}), "domain", "default")


async def _body(request: Request) -> Members:
    try:
        found = await request.json()
    except (ValueError, UnicodeDecodeError, RecursionError):
        raise MalformedRequest("body", "is not JSON") from None
    return _item(found)


def _item(value: object) -> Members:
    if not isinstance(value, dict):
        raise MalformedRequest("body", "is not an object")
    return value


def _object(body: Members, name: str, default: Members | None = None) -> Members:
    found = body.get(name, default)
    if not isinstance(found, dict):
        raise MalformedRequest(name, "is missing" if found is None else "is not an object")
    return found


def _list(body: Members, name: str) -> Sequence[object]:
    found = body.get(name, [])
    if not isinstance(found, list):
        raise MalformedRequest(name, "is not a list")
    return found


def _text(members: Members, name: str, default: str | None = None) -> str:
    found = members.get(name, default)
    if not isinstance(found, str):
        raise MalformedRequest(name, "is missing" if found is None else "is not a string")
    return found


def _answer(request: Request, body: Members) -> Response:
    given = request.headers.get("x-request-id")
    echoed = {"x-request-id": given} if given else {}
    return JSONResponse(body, headers=echoed)


def _page(request: Request, body: Members, results: Sequence[Members]) -> Response:
    page = _object(body, "page", {})
    limit = page.get("limit", _PAGE)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit <= _MOST:
        raise MalformedRequest("page.limit", f"is not a number from 1 to {_MOST}")
    start = _offset(_text(page, "next_token", ""))
    following = start + limit
    token = base64.urlsafe_b64encode(str(following).encode()).decode() if following < len(results) else ""
    return _answer(request, {"results": list(results[start:following]), "page": {"next_token": token}})


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        return abs(int(base64.b64decode(token, altchars=b"-_", validate=True)))
    except (ValueError, binascii.Error):
        raise MalformedRequest("page.next_token", "is none of ours") from None
