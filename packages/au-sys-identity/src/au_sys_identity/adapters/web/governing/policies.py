"""Rules for administrators: look, add and remove after seeing who gains and who loses, ask why, take in and out."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import PlainTextResponse, Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.policy.exchange import Manner, TakenIn, given_out, taken_in
from au_sys_identity.adapters.web.governing.rule_room import RuleRoom, ShownEffect
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.access.asking import Answer, checked_question
from au_sys_identity.core.access.models import Policy, PolicyFilter, canonical_subject, rule_parts
from au_sys_identity.core.access.rules import Change, Effect, Question, Rule
from au_sys_identity.core.access.ruling import checked_rule
from au_sys_identity.core.errors import BadPattern, IdentityError, InvalidInput, NotFound, StepUpRequired
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

POLICIES = "/admin/identity/policies"
_WHY, _EXCHANGE = f"{POLICIES}/why", f"{POLICIES}/exchange"
_ON_A_PAGE = 50
Room = Annotated[RuleRoom, inject(RuleRoom)]
Shown = Annotated[Pages, inject(Pages)]
Text = Annotated[str, Form(max_length=600)]
Asked = Annotated[str, Query(max_length=600)]


@router.get(POLICIES)
@access(permission="identity.policies.read")
async def policies_page(
    request: Request,
    pages: Shown,
    room: Room,
    subject: Asked = "",
    domain: Asked = "",
    effect: Annotated[str, Query(max_length=10)] = "",
    after: UUID | None = None,
) -> Response:
    """Rules of this installation; what roles give stands with the roles."""
    who = canonical_subject(subject.strip()) or None
    wanted = PolicyFilter(who, domain.strip() or None, effect=effect or None, after=after, limit=_ON_A_PAGE + 1)
    return await _rules(request, pages, room, wanted=wanted)


@router.post(POLICIES)
@access(permission="identity.policies.write")
async def change_rules_page(
    request: Request,
    pages: Shown,
    room: Room,
    act: Text = "",
    which: Annotated[UUID | None, Form()] = None,
    subject: Text = "",
    domain: Text = "default",
    permission: Text = "",
    resource: Text = "",
    action: Text = "",
    effect: Text = "allow",
    until: Text = "",
) -> Response:
    """Show what a new rule, or one less, would do; then do it."""
    path = rule_parts(permission) if permission else (resource.strip(), action.strip())
    typed = {
        "subject": subject.strip(),
        "domain": domain.strip(),
        "permission": permission,
        "resource": path[0],
        "action": path[1],
        "effect": effect,
        "until": until.strip(),
    }
    try:
        if act in ("preview", "add"):
            rule = await _rule(room, typed)
            if act == "preview":
                seen = await room.effect([Change(True, rule)])
                return await _rules(request, pages, room, typed=typed, effect=seen)
            await room.steps.require(caller_of(request))
            await room.ruling.add(rule, by=caller_of(request).urn)
            return await undoable(request, f"{POLICIES}?done=added")
        known = await _known(room, which)
        if act == "preview-remove":
            seen = await room.effect([Change(False, known.rule)])
            return await _rules(request, pages, room, effect=seen, gone=known)
        if act != "remove":
            raise InvalidInput("act", "is unknown", "Use the buttons of the page.")
        await room.steps.require(caller_of(request))
        await room.ruling.remove(known.id, by=caller_of(request).urn)
    except StepUpRequired:
        return ask_again(POLICIES)
    except NotFound:
        raise
    except IdentityError as error:
        return await _rules(request, pages, room, typed=typed, error=error)
    return await undoable(request, f"{POLICIES}?done=removed")


@router.get(_WHY)
@access(permission="identity.access.explain")
async def why_page(
    request: Request,
    pages: Shown,
    room: Room,
    subject: Asked = "",
    domain: Asked = "default",
    permission: Asked = "",
    resource: Asked = "",
    action: Asked = "",
) -> Response:
    """Why may, or may not, somebody do something?"""
    answer: Answer | None = None
    error = ""
    path = (resource.strip(), action.strip())
    if permission:
        pattern, verb = rule_parts(permission)
        path = (pattern.removesuffix("*") + path[0], verb)
    if subject:
        try:
            urn = await room.asking.urn_of(subject.strip())
            question = checked_question(Question(urn, domain.strip() or "default", *path))
            answer = await room.asking.check(caller_of(request), question, explain=True)
        except IdentityError as trouble:
            error = str(trouble)
    chain = answer.proof.chain if answer and answer.proof else ()
    context: dict[str, object] = {
        "typed": {
            "subject": subject,
            "domain": domain,
            "permission": permission,
            "resource": resource,
            "action": action,
        },
        "permissions": _choices(room, marked("Written below")),
        "answer": answer,
        "names": await room.asking.names({answer.question.subject, *(one.subject for one in chain)}) if answer else {},
        "error": error,
        "tabs": _TABS,
        "here": _WHY,
    }
    return await pages.render(request, "identity/why.html", context, status_code=400 if error else 200)


@router.get(_EXCHANGE)
@access(permission="identity.policies.read")
async def exchange_page(request: Request, pages: Shown) -> Response:
    """Rules as text, in and out."""
    return await _exchange(request, pages)


@router.get(f"{_EXCHANGE}/policies.csv")
@access(permission="identity.policies.read")
async def policies_as_text(room: Room) -> Response:
    """All rules and assignments of this installation, as a file."""
    _, text = await given_out(room.decisions.policy)
    headers = {"content-disposition": 'attachment; filename="policies.csv"'}
    return PlainTextResponse(text, media_type="text/csv", headers=headers)


@router.post(_EXCHANGE)
@access(permission="identity.policies.manage")
async def take_in(
    request: Request,
    pages: Shown,
    room: Room,
    text: Annotated[str, Form(max_length=1_000_000)] = "",
    manner: Text = "merge",
    act: Text = "try",
) -> Response:
    """Try what a text would do; then do it."""
    how: Manner = "replace" if manner == "replace" else "merge"
    caller = caller_of(request)
    try:
        if act == "take":
            await room.steps.require(caller)
        taken = await taken_in(room.ruling, text, how, dry_run=act != "take", by=caller.urn)
    except StepUpRequired:
        return ask_again(_EXCHANGE)
    except IdentityError as error:
        return await _exchange(request, pages, text=text, manner=how, error=str(error))
    return await _exchange(request, pages, text=text, manner=how, taken=taken)


_DONE = {"added": "The rule counts from now on.", "removed": "The rule counts no more."}
_TABS = [(marked("Rules"), POLICIES), (marked("Ask why"), _WHY), (marked("In and out"), _EXCHANGE)]


async def _rule(room: RuleRoom, typed: dict[str, str]) -> Rule:
    effect: Effect = "deny" if typed["effect"] == "deny" else "allow"
    subject = await room.asking.urn_of(typed["subject"])
    rule = Rule(subject, typed["domain"], typed["resource"], typed["action"], effect, _end(typed["until"]))
    return checked_rule(rule)


def _end(text: str) -> float | None:
    """The end of a day, as the browser writes it."""
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text).replace(hour=23, minute=59, second=59, microsecond=0, tzinfo=UTC)
    except ValueError:
        raise InvalidInput("until", "is no day", "Write it as 2030-12-31.") from None
    if day <= datetime.now(UTC):
        raise InvalidInput("until", "is over", "Choose a day to come, or leave it empty.")
    return day.timestamp()


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


async def _known(room: RuleRoom, which: UUID | None) -> Policy:
    found = None if which is None else await room.ruling.get(which)
    if found is None:
        raise NotFound("policy")
    return found


def _choices(room: RuleRoom, none: str) -> list[tuple[str, str]]:
    known = sorted(room.catalogue.permissions.items())
    return [("", none), *known]


async def _rules(
    request: Request,
    pages: Pages,
    room: RuleRoom,
    *,
    wanted: PolicyFilter | None = None,
    typed: dict[str, str] | None = None,
    effect: ShownEffect | None = None,
    gone: Policy | None = None,
    error: IdentityError | None = None,
) -> Response:
    asked = wanted or PolicyFilter(limit=_ON_A_PAGE + 1)
    found = await room.ruling.page(asked)
    shown = found[:_ON_A_PAGE]
    filters = {name: getattr(asked, name) or "" for name in ("subject", "domain", "effect")}
    more = {**{name: value for name, value in filters.items() if value}, "after": shown[-1].id} if shown else {}
    wrong = error.field if isinstance(error, InvalidInput | BadPattern) else ""
    context: dict[str, object] = {
        "policies": shown,
        "names": await room.asking.names({one.rule.subject for one in shown}),
        "filters": filters,
        "next": urlencode(more) if len(found) > _ON_A_PAGE else "",
        "typed": typed or {"domain": "default", "effect": "allow"},
        "permissions": _choices(room, marked("Written by hand below")),
        "effect": effect,
        "gone": gone,
        "error": str(error) if error else "",
        "wrong": wrong if wrong in ("subject", "domain", "resource", "action", "until") else "",
        "done": _DONE.get(request.query_params.get("done", "")),
        "tabs": _TABS,
        "here": POLICIES,
        "ends": _day,
    }
    return await pages.render(request, "identity/policies.html", context, status_code=400 if error else 200)


async def _exchange(
    request: Request,
    pages: Pages,
    *,
    text: str = "",
    manner: Manner = "merge",
    taken: TakenIn | None = None,
    error: str = "",
) -> Response:
    context: dict[str, object] = {
        "text": text,
        "manner": manner,
        "taken": taken,
        "error": error,
        "tabs": _TABS,
        "here": _EXCHANGE,
    }
    bad = error or (taken is not None and taken.refused)
    return await pages.render(request, "identity/exchange.html", context, status_code=400 if bad else 200)
