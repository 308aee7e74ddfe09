"""Ask for access, decide, and give it in the same step."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import Granting
from au_sys_identity.core.access.models import Role, role_name
from au_sys_identity.core.errors import (
    AlreadyDecided,
    InvalidInput,
    MayNotDecide,
    NotFound,
    OwnRequest,
    TooManyRequests,
)
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.custody import custodians
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.principal import Principal
from au_sys_identity.core.subjects.models import SubjectId
from au_sys_identity.core.subjects.names import plain_text
from au_sys_identity.core.workflow.models import AccessRequest, Verdict
from au_sys_identity.core.workflow.ports import RequestFilter

DECIDES = "identity.requests.decide"
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=366)
_MOST_OPEN = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. Without a subject the caller asks for herself."""

    role: str
    domain: str
    reason: str
    subject: str | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What whoever decides says; a duration of hers takes the place of the one asked for."""

    verdict: Verdict
    note: str = ""
    duration: timedelta | None = None


class Requests:
    """Access requests. Who may decide at all is the caller's question; what may be given is answered here."""

    def __init__(self, transactions: Transactions, decisions: Decisions, granting: Granting, clock: Clock) -> None:
        self._transactions = transactions
        self._decisions = decisions
        self._granting = granting
        self._clock = clock

    async def offered(self) -> list[Role]:
        """Roles that may be asked for, by name."""
        return [role for role in await self._decisions.all_roles() if role.requestable]

    async def submit(self, caller: Principal, wish: Wish) -> AccessRequest:
        """Ask, for oneself or for a machine that one answers for.

        Raises:
            InvalidInput: the role may not be asked for, or a field breaks a rule.
            NotFound: there is no such subject that the caller answers for.
            TooManyRequests: there are enough open ones.
        """
        role = next((known for known in await self.offered() if known.name == role_name(wish.role)), None)
        if role is None:
            raise InvalidInput("role", "may not be asked for", "Choose one of the roles that are offered.")
        made = AccessRequest(
            id=uuid7(),
            requester_id=caller.id,
            requester=caller.urn,
            subject=wish.subject or caller.urn,
            role=role.name,
            domain=wish.domain,
            reason=plain_text(wish.reason, "reason", 500),
            duration=_duration(wish.duration),
            created_at=self._clock(),
        )
        async with self._transactions.writing() as unit:
            made = replace(made, subject=await self._subject(unit, caller, made.subject))
            open_ones = await unit.requests.page(RequestFilter(caller.id, "submitted", limit=_MOST_OPEN))
            if len(open_ones) >= _MOST_OPEN:
                raise TooManyRequests(3600)
            await unit.requests.add(made)
            unit.record(_fact("request.submitted", caller.urn, made))
        return made

    async def page(self, wanted: RequestFilter) -> list[AccessRequest]:
        """Newest first."""
        now = self._clock()
        async with self._transactions.reading() as unit:
            found = await unit.requests.page(wanted)
        return [known for known in found if wanted.state is None or known.state_at(now) == wanted.state]

    async def get(self, caller: Principal, request_id: UUID) -> AccessRequest:
        """One's own, or for those who decide there any.

        Raises:
            NotFound: there is none that the caller may know about.
        """
        async with self._transactions.reading() as unit:
            known = await unit.requests.get(request_id)
        if known is None or not await self._concerns(caller, known):
            raise NotFound("request")
        return known

    async def withdraw(self, caller: Principal, request_id: UUID) -> None:
        """Take one's own back before it is decided.

        Raises:
            NotFound: the caller asked for no such thing.
            AlreadyDecided: too late.
        """
        async with self._transactions.writing() as unit:
            known = await unit.requests.get(request_id)
            if known is None or known.requester_id != caller.id:
                raise NotFound("request")
            if not await unit.requests.settle(replace(known, state="withdrawn")):
                raise AlreadyDecided
            unit.record(_fact("request.withdrawn", caller.urn, known))

    async def decide(self, caller: Principal, request_id: UUID, said: Decision) -> AccessRequest:
        """Give or deny. Given is effective at once, and over at the very end of its duration.

        Raises:
            NotFound: there is no such request.
            MayNotDecide: the caller does not decide in that organization.
            OwnRequest: nobody decides what they asked for, or get, themselves.
            AlreadyDecided: somebody did, or it was withdrawn.
            ExceedsOwnRights: the role holds something that the caller does not.
            InvalidInput: the role is not offered any more, or a field breaks a rule.
        """
        note = plain_text(said.note, "note", 500) if said.note else ""
        now = self._clock()
        async with self._transactions.reading() as unit:
            asked = await unit.requests.get(request_id)
        if asked is None or not await self._concerns(caller, asked):
            raise NotFound("request")
        if not await self._decisions.holds(caller, DECIDES, domain=asked.domain):
            raise MayNotDecide(asked.domain)
        if caller.id == asked.requester_id or caller.urn == asked.subject:
            raise OwnRequest
        if said.verdict == "approve":
            await self._granting.check_grantable(asked.role, by=caller.urn, domain=asked.domain)
            if asked.role not in {role.name for role in await self.offered()}:
                raise InvalidInput("role", "may not be asked for any more", "Deny the request.")
        duration = _duration(said.duration) or asked.duration
        settled = asked.decided(said.verdict, caller.urn, now, note=note, duration=duration)
        async with self._transactions.writing() as unit:
            if not await unit.requests.settle(settled):
                raise AlreadyDecided
            unit.record(_fact("request.decided", caller.urn, settled))
            if settled.state == "provisioned":
                await _make_room(unit, settled)
                await self._granting.grant_in(
                    unit,
                    settled.subject,
                    settled.role,
                    by=caller.urn,
                    domain=settled.domain,
                    expires_at=settled.grant_until,
                    reason=f"request {settled.id}",
                )
        return settled

    async def _concerns(self, caller: Principal, known: AccessRequest) -> bool:
        if caller.id == known.requester_id or caller.urn == known.subject:
            return True
        return await self._decisions.holds(caller, DECIDES, domain=known.domain)

    async def _subject(self, unit: UnitOfWork, caller: Principal, named: str) -> str:
        if named in (caller.urn, str(caller.id)):
            return caller.urn
        try:
            wanted = SubjectId(UUID(named.rpartition(":")[2]))
        except ValueError:
            raise NotFound("subject") from None
        machine = await unit.machines.get(wanted)
        if machine is None or machine.status == "closed" or named not in (machine.urn, str(machine.id)):
            raise NotFound("subject")
        found = await custodians(unit, machine, self._clock())
        if not any(person.id == caller.id and person.active for person in found):
            raise NotFound("subject")
        return machine.urn


async def _make_room(unit: UnitOfWork, given: AccessRequest) -> None:
    """Take away what ends before the new grant does, or ended already: a subject holds a role in a domain once."""
    for held in await unit.grants.of_subject(given.subject):
        ends = held.expires_at
        if (held.role, held.domain) != (given.role, given.domain) or ends is None:
            continue
        if given.grant_until is None or ends < given.grant_until:
            await unit.grants.withdraw(held.subject, held.role, held.domain)


def _duration(wanted: timedelta | None) -> timedelta | None:
    if wanted is not None and not _SHORTEST <= wanted <= _LONGEST:
        raise InvalidInput("duration", "is out of range", f"From one minute to {_LONGEST.days} days, in seconds.")
    return wanted


def _fact(action: str, actor: str, about: AccessRequest) -> Fact:
    details = {"subject": about.subject, "role": about.role, "domain": about.domain, "state": about.state}
    return Fact(action, actor, f"urn:au:request:{about.id}", details=dict(details))
