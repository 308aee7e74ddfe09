"""Authorizer, SubjectDirectory and RoleAdministration for the other capabilities."""

from collections.abc import Mapping, Sequence

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import DEFAULT_DOMAIN
from au_sys_identity.core.audit.refusals import Refusals
from au_sys_identity.core.errors import InvalidInput
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.notices.telling import Telling
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.addresses import email_address
from au_sys_identity.core.subjects.models import Person, SubjectId, machine_id, person_id, subject_id
from fastapi_services_platform import Decision, DeniedRequest, Notice, PostedNotice, Principal, SubjectCard

_LATEST = 50


class PlatformAuthorizer:
    """``authorizer@1``."""

    def __init__(self, decisions: Decisions, refusals: Refusals) -> None:
        self._decisions = decisions
        self._refusals = refusals

    async def authorize(self, principal: Principal, permission: str, resource: str = "") -> Decision:
        """May she? ``resource`` is the object that is asked about; without it, the right on objects of the kind."""
        found = await self._decisions.decide(
            principal.urn,
            permission,
            person=principal.kind == "person",
            scopes=principal.scopes,
            object_id=resource,
        )
        machine = _machine_of(principal)
        if found.allowed and machine is not None and self._decisions.narrowing is not None:
            found = await self._decisions.narrowing.narrowed(
                machine, principal.delegation_id, permission, domain=DEFAULT_DOMAIN, object_id=resource
            )
        return Decision(found.allowed, found.reason)

    async def denied(self, request: DeniedRequest) -> None:
        """Keep that a request was denied."""
        asked = f"{request.method} {request.route}"
        await self._refusals.keep(request.principal.urn, asked, request.slug, request.permission)


class PlatformDirectory:
    """``subject-directory@1``."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def by_urn(self, urn: str) -> SubjectCard | None:
        """A subject by URN."""
        return (await self.many([urn])).get(urn)

    async def by_email(self, email: str) -> SubjectCard | None:
        """A person by address, in any spelling."""
        try:
            canonical = email_address(email).canonical
        except InvalidInput:
            return None
        async with self._transactions.reading() as unit:
            person = await unit.subjects.by_email(canonical)
        return _card(person) if person else None

    async def many(self, urns: Sequence[str]) -> Mapping[str, SubjectCard]:
        """Cards by URN; unknown and closed subjects are left out."""
        ids = [SubjectId(found) for urn in urns if urn.startswith("urn:au:user:") and (found := person_id(urn))]
        async with self._transactions.reading() as unit:
            people = await unit.subjects.many(ids)
            machines = [
                machine
                for urn in urns
                if urn.startswith("urn:au:app:") and (wanted := machine_id(urn))
                if (machine := await unit.machines.get(wanted)) and machine.status != "closed"
            ]
        cards: dict[str, SubjectCard] = {person.urn: _card(person) for person in people if person.status != "closed"}
        cards.update((found.urn, _machine_card(found)) for found in machines)
        return cards


class PlatformRoles:
    """``role-administration@1``."""

    def __init__(self, granting: Granting, decisions: Decisions) -> None:
        self._granting = granting
        self._decisions = decisions

    async def grant(self, subject_urn: str, bundle: str, *, by: str, reason: str) -> None:
        """Give a bundle; ``by`` must hold everything in it, or be a ``urn:au:system:…``."""
        await self._granting.grant(subject_urn, bundle, by=by, reason=reason)

    async def withdraw(self, subject_urn: str, bundle: str, *, by: str, reason: str) -> None:
        """Take a bundle away."""
        await self._granting.withdraw(subject_urn, bundle, by=by, reason=reason)

    async def bundles_of(self, subject_urn: str) -> frozenset[str]:
        """Every role and bundle that counts for a subject, the default ones included."""
        roles = await self._decisions.roles_of(subject_urn, person=subject_urn.startswith("urn:au:user:"))
        return frozenset(role.name for role in roles)


class PlatformNotifier:
    """``notifier@1``."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    async def notify(self, notice: Notice) -> None:
        """Keep it where the person is signed in, and queue the mail."""
        await self._telling.tell(notice.to, notice.title, notice.text, href=notice.href, repeats=notice.id)


class PlatformNoticeBoard:
    """``notice-board@1``."""

    page = "/account/notices"

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    async def unread(self, urn: str, limit: int) -> tuple[Sequence[PostedNotice], int]:
        """The latest that a person has not read, and how many there are."""
        subject = person_id(urn) if urn.startswith("urn:au:user:") else None
        if subject is None:
            return (), 0
        latest = [told for told in await self._telling.of_subject(subject, limit=_LATEST) if told.read_at is None]
        shown = [PostedNotice(told.title, told.text, told.href, told.at) for told in latest[:limit]]
        return shown, await self._telling.unread(subject)


def _card(person: Person) -> SubjectCard:
    return SubjectCard(person.urn, "person", person.display_name, person.email, person.locale, person.active)


def _machine_card(machine: Machine) -> SubjectCard:
    return SubjectCard(machine.urn, machine.kind, machine.name, None, None, machine.active)


def _machine_of(principal: Principal) -> SubjectId | None:
    """The id of a principal that is no person."""
    return None if principal.kind == "person" else subject_id(principal.urn, "app", "agent")
