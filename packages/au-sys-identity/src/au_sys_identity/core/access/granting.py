"""Grant and withdraw roles, always audited; nobody gives more than they hold, and one administrator always stays."""

from datetime import datetime

from au_sys_identity.core.access import ceiling
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import (
    DEFAULT_DOMAIN,
    EVERYWHERE,
    PLATFORM_ADMIN,
    SYSTEM,
    Assignment,
    Role,
    canonical_subject,
    role_name,
    role_subject,
    rule_parts,
)
from au_sys_identity.core.access.rules import Change, Membership, Rule
from au_sys_identity.core.errors import InvalidInput, LastAdmin, NotFound, RoleCycle
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId, person_id, subject_id

__all__ = ["SYSTEM", "Granting", "known_domain", "refuse_last_admin"]


class Granting:
    """Assignments of roles to subjects."""

    def __init__(self, transactions: Transactions, decisions: Decisions, clock: Clock) -> None:
        self._transactions = transactions
        self._decisions = decisions
        self._clock = clock

    async def grant(
        self,
        subject: str,
        role: str,
        *,
        by: str,
        domain: str = DEFAULT_DOMAIN,
        expires_at: datetime | None = None,
        reason: str = "",
    ) -> Assignment:
        """Give a role. Giving it again changes nothing.

        Raises:
            NotFound: no such role or subject.
            ExceedsOwnRights: the giver lacks one of its permissions.
            RoleCycle: the subject is a role that the role holds.
            InvalidInput: no organization has that domain.
        """
        wanted = await self._known(role)
        await self._check_role(wanted.name, by, _place(wanted, domain))
        async with self._transactions.writing() as unit:
            return await self.grant_in(unit, subject, role, by=by, domain=domain, expires_at=expires_at, reason=reason)

    async def grant_in(
        self,
        unit: UnitOfWork,
        subject: str,
        role: str,
        *,
        by: str,
        domain: str = DEFAULT_DOMAIN,
        expires_at: datetime | None = None,
        reason: str = "",
    ) -> Assignment:
        """As :meth:`grant`, inside a transaction of the caller, who has checked the ceiling."""
        wanted = await self._known(role)
        holder = canonical_subject(subject)
        if holder.startswith("role:"):
            await self._check_no_cycle(holder, role_subject(wanted.name), domain)
        elif not await _exists(unit, holder):
            raise NotFound("subject")
        place = await known_domain(unit, _place(wanted, domain))
        made = Assignment(uuid7(), holder, wanted.name, place, self._clock(), by, expires_at)
        if await unit.grants.assign(made):
            unit.record(Fact("role.granted", by, holder, reason=reason, details={"role": made.role, "domain": place}))
            return made
        held = [one for one in await unit.grants.of_subject(holder) if (one.role, one.domain) == (made.role, place)]
        return held[0] if held else made

    async def withdraw(
        self, subject: str, role: str, *, by: str, domain: str = DEFAULT_DOMAIN, reason: str = ""
    ) -> None:
        """Take a role away. Taking what is not held changes nothing.

        Raises:
            NotFound: no such role.
            ExceedsOwnRights: the taker lacks one of its permissions.
            LastAdmin: nobody would be left who may do everything.
        """
        known = await self._known(role)
        place = _place(known, domain)
        await self._check_role(known.name, by, place)
        holder = canonical_subject(subject)
        engine = await self._decisions.policy.current()
        async with self._transactions.writing() as unit:
            if known.name == PLATFORM_ADMIN:
                await refuse_last_admin(unit, without=holder, now=self._clock())
            elif ceiling.gives_everything(engine, role_subject(known.name)):
                gone = Change(False, Membership(holder, role_subject(known.name), place))
                await ceiling.refuse_losing_the_last_admin(unit, engine, [gone])
            if await unit.grants.withdraw(holder, known.name, place):
                told = {"role": known.name, "domain": place}
                unit.record(Fact("role.withdrawn", by, holder, reason=reason, details={**told}))

    async def assignments(self, subject: str, domain: str | None = None) -> list[Assignment]:
        """What a subject holds by assignment, run-out ones left out."""
        now = self._clock()
        async with self._transactions.reading() as unit:
            held = await unit.grants.of_subject(canonical_subject(subject))
        return [one for one in held if one.counts(now) and domain in (None, one.domain)]

    async def check_ceiling(self, giver: str, permissions: frozenset[str], *, domain: str = DEFAULT_DOMAIN) -> None:
        """Refuse permissions that the giver does not hold in a domain.

        Raises:
            ExceedsOwnRights: with the first excess.
        """
        wanted = [Rule(giver, domain, *rule_parts(name)) for name in sorted(permissions)]
        ceiling.check_rules(await self._decisions.policy.current(), giver, wanted)

    async def urn_of(self, text: str) -> str:
        """The URN of a subject of any kind named by its UUID or URN; a role by its name.

        Raises:
            NotFound: there is none, or it is closed.
        """
        subject = canonical_subject(text)
        if subject.startswith("role:"):
            return role_subject((await self._known(subject)).name)
        wanted = subject_id(subject)
        async with self._transactions.reading() as unit:
            found = await unit.names.get(wanted) if wanted else None
        if found is None or found.status == "closed" or (":" in subject and found.urn != subject):
            raise NotFound("subject")
        return found.urn

    async def check_grantable(self, role: str, *, by: str, domain: str = DEFAULT_DOMAIN) -> None:
        """Refuse early what :meth:`grant` would refuse.

        Raises:
            NotFound, ExceedsOwnRights: as :meth:`grant`.
        """
        known = await self._known(role)
        await self._check_role(known.name, by, _place(known, domain))

    async def check_outranks(self, actor: str, subject: str) -> None:
        """Refuse to touch an account that holds more than the actor, in any domain.

        Raises:
            ExceedsOwnRights: with the first right that the actor lacks.
        """
        engine = await self._decisions.policy.current()
        places = sorted(engine.all_domains() | {DEFAULT_DOMAIN})
        held = [
            given.rule._replace(domain=place)
            for place in places
            for given in engine.get_implicit_permissions_for_user(subject, place)
        ]
        ceiling.check_rules(engine, actor, held)

    async def _check_role(self, role: str, giver: str, domain: str) -> None:
        engine = await self._decisions.policy.current()
        ceiling.check_rules(engine, giver, ceiling.rules_of_role(engine, role_subject(role), domain))

    async def _check_no_cycle(self, holder: str, role: str, domain: str) -> None:
        engine = await self._decisions.policy.current()
        places = engine.all_domains() | {domain} if domain == EVERYWHERE else {domain}
        for place in sorted(places):
            above = engine.get_implicit_roles_for_user(role, place)
            way = next((held.via for held in above if held.role == holder), None)
            if holder == role or way is not None:
                raise RoleCycle((holder, role, *(way or ()), *(() if holder == role else (holder,))))

    async def _known(self, role: str) -> Role:
        found = await self._decisions.role(role_name(role))
        if found is None:
            raise NotFound("role")
        return found


async def refuse_last_admin(unit: UnitOfWork, *, without: str, now: datetime) -> None:
    """Check inside the transaction that another active person who can sign in holds everything.

    Raises:
        LastAdmin: nobody else does.
    """
    holders = [held.subject for held in await unit.grants.holders(PLATFORM_ADMIN) if held.counts(now)]
    if without not in holders:
        return
    for subject in holders:
        if subject == without:
            continue
        other = await _person(unit, subject)
        if other is not None:
            person = await unit.subjects.get(other)
            if person and person.active and await ceiling.has_way_in(unit, other):
                return
    raise LastAdmin


async def known_domain(unit: UnitOfWork, domain: str) -> str:
    """The domain, when an organization has it.

    Raises:
        InvalidInput: none has.
    """
    if domain not in (DEFAULT_DOMAIN, EVERYWHERE):
        found = await unit.organizations.by_slug(domain)
        if found is None or found.status != "active":
            raise InvalidInput("domain", "is not an organization", "Use its slug, or * for all organizations.")
    return domain


def _place(role: Role, domain: str) -> str:
    return EVERYWHERE if role.name == PLATFORM_ADMIN else domain


async def _exists(unit: UnitOfWork, subject: str) -> bool:
    wanted = subject_id(subject)
    found = await unit.names.get(wanted) if wanted else None
    return found is not None and found.urn == subject and found.status != "closed"


async def _person(unit: UnitOfWork, subject: str) -> SubjectId | None:
    wanted = person_id(subject)
    found = await unit.subjects.get(wanted) if wanted else None
    return None if found is None or found.status == "closed" else found.id
