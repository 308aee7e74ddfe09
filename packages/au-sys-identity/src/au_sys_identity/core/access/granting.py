"""Grant and withdraw roles, always audited; nobody gives more than they hold, and one administrator always stays."""

from datetime import datetime

from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.models import (
    DEFAULT_DOMAIN,
    EVERYWHERE,
    PLATFORM_ADMIN,
    Assignment,
    Role,
    covers,
    role_name,
)
from au_sys_identity.core.errors import ExceedsOwnRights, InvalidInput, LastAdmin, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import ACCESS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId, machine_id, person_id

SYSTEM = "urn:au:system:identity"
"""Who acts when the platform itself or its operator's command line does."""


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
        """
        wanted = await self._known(role)
        await self.check_ceiling(by, wanted.permissions)
        place = EVERYWHERE if wanted.name == PLATFORM_ADMIN else _domain(domain)
        made = Assignment(uuid7(), subject, wanted.name, place, self._clock(), by, expires_at)
        async with self._transactions.writing() as unit:
            if not await _exists(unit, subject):
                raise NotFound("subject")
            if await unit.grants.assign(made):
                await unit.versions.raise_topic(ACCESS)
                unit.record(Fact("role.granted", by, subject, reason=reason, details={"role": made.role}))
        return made

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
        await self.check_ceiling(by, known.permissions)
        place = EVERYWHERE if known.name == PLATFORM_ADMIN else _domain(domain)
        async with self._transactions.writing() as unit:
            if known.name == PLATFORM_ADMIN:
                await refuse_last_admin(unit, without=subject, now=self._clock())
            if await unit.grants.withdraw(subject, known.name, place):
                await unit.versions.raise_topic(ACCESS)
                unit.record(Fact("role.withdrawn", by, subject, reason=reason, details={"role": known.name}))

    async def assignments(self, subject: str) -> list[Assignment]:
        """What a subject holds by assignment, run-out ones left out."""
        now = self._clock()
        async with self._transactions.reading() as unit:
            return [held for held in await unit.grants.of_subject(subject) if held.counts(now)]

    async def check_ceiling(self, giver: str, permissions: frozenset[str]) -> None:
        """Refuse what the giver does not hold.

        Raises:
            ExceedsOwnRights: with the first excess.
        """
        if giver.startswith("urn:au:system:"):
            return
        own = await self._decisions.permissions_of(giver, person=giver.startswith("urn:au:user:"))
        for wanted in sorted(permissions):
            if not any(covers(pattern, wanted) for pattern in own):
                raise ExceedsOwnRights(wanted)

    async def urn_of(self, text: str) -> str:
        """The URN of a subject named by its UUID or URN.

        Raises:
            NotFound: there is none, or it is closed.
        """
        async with self._transactions.reading() as unit:
            for wanted, kind in ((person_id(text), "user"), (machine_id(text), "app")):
                urn = f"urn:au:{kind}:{wanted}"
                if wanted is not None and await _exists(unit, urn):
                    return urn
        raise NotFound("subject")

    async def check_grantable(self, role: str, *, by: str) -> None:
        """Refuse early what :meth:`grant` would refuse.

        Raises:
            NotFound, ExceedsOwnRights: as :meth:`grant`.
        """
        await self.check_ceiling(by, (await self._known(role)).permissions)

    async def check_outranks(self, actor: str, subject: str) -> None:
        """Refuse to touch an account that holds more than the actor.

        Raises:
            ExceedsOwnRights: with the first permission that the actor lacks.
        """
        await self.check_ceiling(actor, await self._decisions.permissions_of(subject, person=True))

    async def _known(self, role: str) -> Role:
        found = await self._decisions.role(role_name(role))
        if found is None:
            raise NotFound("role")
        return found


async def refuse_last_admin(unit: UnitOfWork, *, without: str, now: datetime) -> None:
    """Check inside the transaction that another active person with a password holds everything.

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
            if person and person.active and await unit.credentials.password(other):
                return
    raise LastAdmin


async def _exists(unit: UnitOfWork, subject: str) -> bool:
    if await _person(unit, subject) is not None:
        return True
    machine = await unit.machines.get(wanted) if (wanted := machine_id(subject)) else None
    return machine is not None and machine.urn == subject and machine.status != "closed"


async def _person(unit: UnitOfWork, subject: str) -> SubjectId | None:
    wanted = person_id(subject)
    found = await unit.subjects.get(wanted) if wanted else None
    return None if found is None or found.status == "closed" else found.id


def _domain(text: str) -> str:
    if text not in (DEFAULT_DOMAIN, EVERYWHERE):
        raise InvalidInput("domain", "is not an organization", "Use default, or * for all organizations.")
    return text
