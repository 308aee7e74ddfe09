"""People, for administrators; every change goes through the same verbs as the API."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from au_sys_identity.adapters.api.door.authentication import caller_of
from au_sys_identity.adapters.web.governing.undo import done as undoable
from au_sys_identity.adapters.web.own.security import ask_again
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import DEFAULT_DOMAIN, permission_of
from au_sys_identity.core.accounts.administration import AccountChange, Accounts
from au_sys_identity.core.accounts.registration import NewPerson, Registration
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.errors import IdentityError, NotFound, StepUpRequired
from au_sys_identity.core.factors.enrolment import Enrolment
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.subjects.models import Person, person_id
from au_sys_identity.core.subjects.ports import PersonFilter
from fastapi_services_platform import access, marked
from fastapi_services_platform.fastapi import Pages, inject

router = APIRouter(include_in_schema=False)

_HERE = "/admin/identity/users"
_PAGE = 50
_FIRST = PersonFilter(limit=_PAGE + 1)


class Desk:
    """What the administration pages need; one service, so that the endpoints stay readable."""

    def __init__(
        self,
        accounts: Accounts,
        granting: Granting,
        decisions: Decisions,
        sessions: Sessions,
        enrolment: Enrolment,
        steps: StepUp,
        registration: Registration,
    ) -> None:
        self.accounts = accounts
        self.granting = granting
        self.decisions = decisions
        self.sessions = sessions
        self.enrolment = enrolment
        self.steps = steps
        self.registration = registration


@router.get("/admin/identity/users")
@access(permission="identity.users.read")
async def people_page(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    desk: Annotated[Desk, inject(Desk)],
    q: Annotated[str, Query(max_length=120)] = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Search people."""
    wanted = PersonFilter(q, None, person_id(after) if after else None, _PAGE + 1)
    return await _people(request, pages, desk, wanted=wanted)


@router.post("/admin/identity/users")
@access(permission="identity.users.create")
async def create_person(
    request: Request,
    pages: Annotated[Pages, inject(Pages)],
    desk: Annotated[Desk, inject(Desk)],
    email: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
) -> Response:
    """Make an account; its one-time password is shown this once."""
    try:
        made = await desk.registration.create(NewPerson(email, display_name or None), by=caller_of(request).urn)
    except IdentityError as error:
        return await _people(request, pages, desk, error=str(error), typed=(email, display_name))
    return await _people(request, pages, desk, made=made)


@router.get("/admin/identity/users/{user_id}")
@access(permission="identity.users.read")
async def person_page(
    request: Request, user_id: str, pages: Annotated[Pages, inject(Pages)], desk: Annotated[Desk, inject(Desk)]
) -> Response:
    """One person: roles, sessions, what may be done."""
    return await _person(request, pages, desk, user_id)


@router.post("/admin/identity/users/{user_id}/status")
@access(permission="identity.users.update")
async def change_status(
    request: Request,
    user_id: str,
    pages: Annotated[Pages, inject(Pages)],
    desk: Annotated[Desk, inject(Desk)],
    active: Annotated[str, Form()] = "",
) -> Response:
    """Switch an account off or on."""
    caller = caller_of(request)

    async def change() -> None:
        person = await desk.accounts.get(person_id(user_id))
        await desk.granting.check_outranks(caller.urn, person.urn)
        await desk.accounts.change(person.id, AccountChange(is_active=active == "on"), by=caller.urn)

    return await carried_out(request, pages, desk, user_id, change)


@router.post("/admin/identity/users/{user_id}/roles")
@access(permission="identity.roles.assign")
async def give_role(
    request: Request,
    user_id: str,
    pages: Annotated[Pages, inject(Pages)],
    desk: Annotated[Desk, inject(Desk)],
    role: Annotated[str, Form()] = "",
) -> Response:
    """Give a role."""

    async def give() -> None:
        await desk.granting.grant(_urn(user_id), role, by=caller_of(request).urn, reason="administration page")

    return await carried_out(request, pages, desk, user_id, give)


@router.post("/admin/identity/users/{user_id}/roles/withdraw")
@access(permission="identity.roles.assign")
async def take_role(
    request: Request,
    user_id: str,
    pages: Annotated[Pages, inject(Pages)],
    desk: Annotated[Desk, inject(Desk)],
    role: Annotated[str, Form()] = "",
    domain: Annotated[str, Form()] = "default",
) -> Response:
    """Take a role away."""

    async def take() -> None:
        by = caller_of(request).urn
        await desk.granting.withdraw(_urn(user_id), role, by=by, domain=domain, reason="administration page")

    return await carried_out(request, pages, desk, user_id, take)


@router.post("/admin/identity/users/{user_id}/sign-out")
@access(permission="identity.sessions.revoke")
async def sign_out(
    request: Request, user_id: str, pages: Annotated[Pages, inject(Pages)], desk: Annotated[Desk, inject(Desk)]
) -> Response:
    """End every session of a person."""
    caller = caller_of(request)

    async def end() -> None:
        person = await desk.accounts.get(person_id(user_id))
        await desk.sessions.end_all(person.id, by=caller.urn, reason="ended by an administrator")

    return await carried_out(request, pages, desk, user_id, end)


@router.post("/admin/identity/users/{user_id}/factors/reset")
@access(permission="identity.users.update")
async def reset_factors(
    request: Request, user_id: str, pages: Annotated[Pages, inject(Pages)], desk: Annotated[Desk, inject(Desk)]
) -> Response:
    """Remove app, passkeys and recovery codes of somebody who lost them."""
    caller = caller_of(request)

    async def reset() -> None:
        person = await desk.accounts.get(person_id(user_id))
        await desk.granting.check_outranks(caller.urn, person.urn)
        await desk.enrolment.remove_everything(person, by=caller.urn)

    return await carried_out(request, pages, desk, user_id, reset)


async def carried_out(
    request: Request, pages: Pages, desk: Desk, user_id: str, change: Callable[[], Awaitable[object]]
) -> Response:
    """Ask for a fresh proof, make the change, and show the person again with what went wrong, if anything."""
    page = f"{_HERE}/{user_id}"
    try:
        try:
            await desk.steps.require(caller_of(request))
        except StepUpRequired:
            return ask_again(page)
        await change()
    except NotFound:
        raise
    except IdentityError as error:
        return await _person(request, pages, desk, user_id, error=str(error))
    return await undoable(request, page)


async def _people(
    request: Request,
    pages: Pages,
    desk: Desk,
    *,
    wanted: PersonFilter = _FIRST,
    error: str = "",
    typed: tuple[str, str] = ("", ""),
    made: tuple[Person, str] | None = None,
) -> Response:
    found = await desk.accounts.page(wanted)
    context: dict[str, object] = {
        "people": found[:_PAGE],
        "next": str(found[_PAGE - 1].id) if len(found) > _PAGE else "",
        "q": wanted.q,
        "error": error,
        "email": typed[0][:320],
        "name": typed[1][:200],
        "made": made,
    }
    context["invited"] = request.query_params.get("invited", "")
    response = await pages.render(request, "identity/people.html", context, status_code=400 if error else 200)
    response.headers["cache-control"] = "no-store"
    return response


async def _person(request: Request, pages: Pages, desk: Desk, user_id: str, *, error: str = "") -> Response:
    person = await desk.accounts.get(person_id(user_id))
    held = await desk.granting.assignments(person.urn)
    names = {assignment.role for assignment in held}
    caller = caller_of(request)
    context: dict[str, object] = {
        "person": person,
        "held": held,
        "givable": [role for role in await desk.decisions.all_roles() if role.name not in names and not role.default],
        "counting": await desk.decisions.roles_of(person.urn, person=True),
        "sessions": await desk.sessions.of_subject(person.id),
        "enrolled": await desk.enrolment.enrolled(person.id),
        "rights": await _rights(desk, caller, person),
        "may_explain": await desk.decisions.holds(caller, "identity.access.explain"),
        "may_close": await desk.decisions.holds(caller, "identity.users.delete"),
        "error": error,
    }
    return await pages.render(request, "identity/person.html", context, status_code=400 if error else 200)


async def _rights(desk: Desk, caller: Principal, person: Person) -> list[tuple[str, str, str]] | None:
    """What a person may do by which way, as ``(permission or pattern, allow or deny, way)``; for who may read rules."""
    if not await desk.decisions.holds(caller, "identity.policies.read"):
        return None
    engine = await desk.decisions.policy.current()
    found = engine.get_implicit_permissions_for_user(person.urn, DEFAULT_DOMAIN)
    return [
        (
            permission_of(given.rule.resource, given.rule.action) or f"{given.rule.action} on {given.rule.resource}",
            given.rule.effect,
            ", ".join(name.removeprefix("role:") for name in given.via) or marked("a rule of its own"),
        )
        for given in found
    ]


def _urn(user_id: str) -> str:
    subject = person_id(user_id)
    if subject is None:
        raise NotFound("person")
    return f"urn:au:user:{subject}"
