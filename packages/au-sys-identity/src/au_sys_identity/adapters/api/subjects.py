"""Account registration and lookup routes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from au_sys_identity.adapters.api.cards import People
from au_sys_identity.adapters.api.door.authentication import CookieNames, caller_of
from au_sys_identity.adapters.api.door.clients import client_of
from au_sys_identity.adapters.api.door.conditions import IfMatch, expected_version
from au_sys_identity.adapters.api.door.paging import Paged
from au_sys_identity.adapters.api.door.session_cookies import drop_session, keep_session
from au_sys_identity.adapters.api.programs.machines import itself
from au_sys_identity.adapters.api.schemas.machines import AgentOut, MachineOut
from au_sys_identity.adapters.api.schemas.proofs.sessions import SessionOut, SessionsOut
from au_sys_identity.adapters.api.schemas.subjects import (
    AcceptedOut,
    MeChange,
    RegisterBody,
    UserChange,
    UserCreatedOut,
    UserNew,
    UserOut,
    UsersOut,
)
from au_sys_identity.adapters.api.together.reach import Reach
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.accounts.administration import AccountChange, Accounts, ProfileChange
from au_sys_identity.core.accounts.bootstrap import Bootstrap
from au_sys_identity.core.accounts.mail_links import MailLinks
from au_sys_identity.core.accounts.registration import NewPerson, Registration
from au_sys_identity.core.accounts.step_up import StepUp
from au_sys_identity.core.credentials.lockout import network_of
from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.invitations.accepting import Accepting
from au_sys_identity.core.machines.accounts import Machines
from au_sys_identity.core.machines.succession import Heirs
from au_sys_identity.core.organizations.membership import Organizations
from au_sys_identity.core.organizations.models import DEFAULT_SLUG
from au_sys_identity.core.sessions.lifecycle import Sessions
from au_sys_identity.core.sessions.models import Client
from au_sys_identity.core.sessions.volume import Volume
from au_sys_identity.core.subjects.models import person_id
from au_sys_identity.core.subjects.ports import PersonFilter
from fastapi_services_platform import access
from fastapi_services_platform.fastapi import inject

router = APIRouter(tags=["subjects"])


@router.post(
    "/auth/register",
    operation_id="register",
    summary="Ask for an account",
    status_code=202,
    responses={201: {"model": UserOut, "description": "With an invitation, or as the first administrator."}},
)
@access(public=True)
async def register(
    request: Request,
    response: Response,
    body: RegisterBody,
    registration: Annotated[Registration, inject(Registration)],
    bootstrap: Annotated[Bootstrap, inject(Bootstrap)],
    people: Annotated[People, inject(People)],
    volume: Annotated[Volume, inject(Volume)],
    accepting: Annotated[Accepting, inject(Accepting)],
) -> AcceptedOut | UserOut:
    """The answer is the same for a new and for a known address."""
    network = network_of(request.client.host if request.client else None)
    wanted = NewPerson(body.email, body.display_name, body.locale)
    client = Client(network=network)
    if body.bootstrap_token is not None:
        await volume.sign_in(client)
        person = await bootstrap.first_admin(wanted, body.password, body.bootstrap_token)
        response.status_code = 201
        return await people.shown(person)
    if body.invitation is not None:
        await volume.sign_in(client)
        person = await accepting.register(wanted, body.password, body.invitation, network=network)
        response.status_code = 201
        return await people.shown(person)
    await volume.mail(client, body.email)
    await registration.register(wanted, body.password, network=network)
    return AcceptedOut()


@router.get(
    "/users/me",
    operation_id="get_me",
    summary="Who am I",
    response_model=UserOut,
    responses={200: {"model": UserOut | AgentOut | MachineOut}},
)
@access(authenticated=True)
async def get_me(
    request: Request,
    response: Response,
    people: Annotated[People, inject(People)],
    machines: Annotated[Machines, inject(Machines)],
) -> UserOut | Response:
    """My account; a machine sees itself."""
    caller = caller_of(request)
    if caller.machine is not None:
        return itself(await machines.get(caller.id))
    return _tagged(response, await people.myself(caller))


@router.patch("/users/me", operation_id="change_me", summary="Change my account")
@access(authenticated=True)
async def change_me(
    request: Request,
    response: Response,
    body: MeChange,
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    people: Annotated[People, inject(People)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    if_match: IfMatch = None,
) -> UserOut:
    """Profile, or password together with the present one; a new password ends every session, this one is replaced."""
    caller = caller_of(request)
    changes_profile = (body.display_name, body.locale, body.timezone) != (None, None, None)
    if body.password is not None:
        if changes_profile or body.email is not None:
            raise InvalidInput("password", "is changed by itself", "Send the profile in a request of its own.")
        if body.current_password is None:
            raise InvalidInput("current_password", "is missing", "Send the present password too.")
        await steps.require_strongest(caller)
        opened = await accounts.change_password(
            await accounts.get(caller.id),
            body.current_password,
            body.password,
            client=client_of(request, cookies),
            reopen=caller.strength if caller.session_kind == "web" else None,
        )
        if opened is not None:
            keep_session(response, cookies, opened)
        return _tagged(response, await people.shown(await accounts.get(caller.id)))
    if body.email is not None:
        if changes_profile:
            raise InvalidInput("email", "is changed by itself", "Send the profile in a request of its own.")
        await steps.require(caller, own_security=True)
        asked = await accounts.ask_for_address(caller.id, body.email, expected_version=expected_version(if_match))
        return _tagged(response, await people.shown(asked))
    change = ProfileChange(body.display_name, body.locale, body.timezone)
    changed = await accounts.change_profile(caller.id, change, expected_version=expected_version(if_match))
    return _tagged(response, await people.shown(changed))


@router.delete("/users/me", operation_id="delete_me", summary="Close my account", status_code=204)
@access(authenticated=True)
async def delete_me(
    request: Request,
    accounts: Annotated[Accounts, inject(Accounts)],
    steps: Annotated[StepUp, inject(StepUp)],
    cookies: Annotated[CookieNames, inject(CookieNames)],
    successor: Annotated[str | None, Query(max_length=80)] = None,
    cascade: Literal["stop"] | None = None,
) -> Response:
    """Close one's own account for ever. Machines that nobody else answers for go to the successor, or stop."""
    caller = caller_of(request)
    await steps.require(caller, human=True)
    await accounts.close(caller.id, by=caller.urn, heirs=_heirs(successor, cascade))
    response = Response(status_code=204)
    drop_session(response, cookies)
    return response


@router.get("/users", operation_id="list_users", summary="People")
@access(permission="identity.users.read")
async def list_users(
    accounts: Annotated[Accounts, inject(Accounts)],
    people: Annotated[People, inject(People)],
    page: Paged,
    q: Annotated[str, Query(max_length=120)] = "",
    status: Literal["pending", "active", "disabled"] | None = None,
) -> UsersOut:
    """Accounts whose name or address contains ``q``, a page at a time."""
    found = await accounts.page(PersonFilter(q, status, page.subject, page.limit + 1))
    items = [await people.shown(person) for person in found[: page.limit]]
    return UsersOut(items=items, next_cursor=page.next(items[-1].id) if len(found) > page.limit else None)


@router.post("/users", operation_id="create_user", summary="Make an account", status_code=201)
@access(permission="identity.users.create")
async def create_user(
    request: Request,
    response: Response,
    body: UserNew,
    registration: Annotated[Registration, inject(Registration)],
    granting: Annotated[Granting, inject(Granting)],
    people: Annotated[People, inject(People)],
    links: Annotated[MailLinks, inject(MailLinks)],
    reach: Annotated[Reach, inject(Reach)],
    organizations: Annotated[Organizations, inject(Organizations)],
) -> UserCreatedOut:
    """A password that is not given is generated and shown once, unless an invitation is sent: a letter with a link to
    choose one. Either must be changed at first sign-in.
    """
    caller, domain = caller_of(request), body.organization or DEFAULT_SLUG
    proof = None
    if body.organization is not None:
        _, proof = await reach.organization(caller, domain, "identity.users.create", change=True)
    for role in body.roles:
        await granting.check_grantable(role, by=caller.urn, domain=domain)
    wanted = NewPerson(body.email, body.display_name)
    person, chosen = await registration.create(wanted, by=caller.urn, password=body.password, verified=body.is_verified)
    if proof is not None:
        await organizations.add(proof, person.id, by=caller.urn)
    for role in body.roles:
        await granting.grant(person.urn, role, by=caller.urn, domain=domain)
    if body.send_invitation:
        await links.ask("reset", person.email)
    shown = await people.shown(person)
    response.headers["cache-control"] = "no-store"
    told = body.password is not None or body.send_invitation
    return UserCreatedOut(**shown.model_dump(), one_time_password=None if told else chosen)


@router.get("/users/{user_id}", operation_id="get_user", summary="One person")
@access(permission="identity.users.read")
async def get_user(
    user_id: str,
    response: Response,
    accounts: Annotated[Accounts, inject(Accounts)],
    people: Annotated[People, inject(People)],
) -> UserOut:
    """An account by id or URN."""
    return _tagged(response, await people.shown(await accounts.get(person_id(user_id))))


@router.patch("/users/{user_id}", operation_id="change_user", summary="Change an account")
@access(permission="identity.users.update")
async def change_user(
    request: Request,
    user_id: str,
    body: UserChange,
    response: Response,
    accounts: Annotated[Accounts, inject(Accounts)],
    granting: Annotated[Granting, inject(Granting)],
    people: Annotated[People, inject(People)],
    steps: Annotated[StepUp, inject(StepUp)],
    if_match: IfMatch = None,
) -> UserOut:
    """Switching an account off ends its sessions at once."""
    caller = caller_of(request)
    if (body.email, body.is_active, body.is_verified) != (None, None, None):
        await steps.require(caller)
    await _outranks(granting, caller.urn, user_id)
    change = AccountChange(**body.model_dump())
    changed = await accounts.change(
        person_id(user_id), change, by=caller.urn, expected_version=expected_version(if_match)
    )
    return _tagged(response, await people.shown(changed))


@router.delete("/users/{user_id}", operation_id="delete_user", summary="Close an account", status_code=204)
@access(permission="identity.users.delete")
async def delete_user(
    request: Request,
    user_id: str,
    accounts: Annotated[Accounts, inject(Accounts)],
    granting: Annotated[Granting, inject(Granting)],
    steps: Annotated[StepUp, inject(StepUp)],
    successor: Annotated[str | None, Query(max_length=80)] = None,
    cascade: Literal["stop"] | None = None,
) -> Response:
    """The account is closed for ever; its id is never used again. Machines that nobody else answers for go to the
    successor, or stop."""
    caller = caller_of(request)
    await steps.require(caller)
    await _outranks(granting, caller.urn, user_id)
    await accounts.close(person_id(user_id), by=caller.urn, heirs=_heirs(successor, cascade))
    return Response(status_code=204)


@router.post("/users/{user_id}/unlock", operation_id="unlock_user", summary="Forget wrong sign-ins", status_code=204)
@access(permission="identity.users.unlock")
async def unlock_user(request: Request, user_id: str, accounts: Annotated[Accounts, inject(Accounts)]) -> Response:
    """Nobody waits any more before trying this account."""
    await accounts.unlock(person_id(user_id), by=caller_of(request).urn)
    return Response(status_code=204)


@router.get("/users/{user_id}/sessions", operation_id="list_user_sessions", summary="Sessions of a person")
@access(permission="identity.sessions.read")
async def list_user_sessions(
    user_id: str,
    accounts: Annotated[Accounts, inject(Accounts)],
    sessions: Annotated[Sessions, inject(Sessions)],
) -> SessionsOut:
    """Where somebody is signed in."""
    person = await accounts.get(person_id(user_id))
    return SessionsOut(items=[SessionOut.of(session, None) for session in await sessions.of_subject(person.id)])


@router.delete(
    "/users/{user_id}/sessions", operation_id="end_user_sessions", summary="Sign somebody out", status_code=204
)
@access(permission="identity.sessions.revoke")
async def end_user_sessions(
    request: Request,
    user_id: str,
    accounts: Annotated[Accounts, inject(Accounts)],
    sessions: Annotated[Sessions, inject(Sessions)],
) -> Response:
    """End every session of a person."""
    person = await accounts.get(person_id(user_id))
    await sessions.end_all(person.id, by=caller_of(request).urn, reason="ended by an administrator")
    return Response(status_code=204)


def _heirs(successor: str | None, cascade: str | None) -> Heirs:
    heir = person_id(successor) if successor else None
    if successor and heir is None:
        raise InvalidInput("successor", "is not a person", "Use the id or URN of somebody who stays.")
    return Heirs(heir, stop=cascade == "stop")


async def _outranks(granting: Granting, caller: str, user_id: str) -> None:
    """Nobody changes an account that holds more than they do, else its owner's rights could be taken over."""
    subject = person_id(user_id)
    if subject is None:
        raise NotFound("person")
    await granting.check_outranks(caller, f"urn:au:user:{subject}")


def _tagged(response: Response, shown: UserOut) -> UserOut:
    response.headers["etag"] = f'"{shown.version}"'
    return shown
