"""Create accounts: by people themselves where that is allowed, by administrators, and the very first one.

Registering a known address looks exactly like registering a new one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from au_sys_identity.core.access.models import EVERYWHERE, PLATFORM_ADMIN, SYSTEM, Assignment
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.credentials.passwords import PasswordRules, normalized, one_time_password
from au_sys_identity.core.credentials.ports import PasswordHasher
from au_sys_identity.core.errors import BootstrapClosed, Conflict, RegistrationClosed
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.addresses import EmailAddress, email_address
from au_sys_identity.core.subjects.models import Person, Status, SubjectId
from au_sys_identity.core.subjects.names import display_name, locale_tag

RegistrationMode = Literal["open", "invite", "closed"]
ONE_TIME_LIFE = timedelta(hours=24)
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class RegistrationPolicy:
    """Who may make an account. Without ``verification`` an address is taken on trust; ``domains`` are all when empty.

    Changed in place when an administrator changes a setting.
    """

    mode: RegistrationMode = "invite"
    verification: bool = True
    domains: frozenset[str] = frozenset()

    def admits(self, canonical: str) -> bool:
        """Whether people of this address may register."""
        return self.mode == "open" and (not self.domains or canonical.rpartition("@")[2] in self.domains)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """An account as it is asked for."""

    email: str
    name: str | None = None
    locale: str | None = None


class Registration:
    """Makes persons."""

    def __init__(
        self,
        transactions: Transactions,
        hasher: PasswordHasher,
        rules: PasswordRules,
        letters: LetterBox,
        clock: Clock,
        *,
        policy: RegistrationPolicy,
    ) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._rules = rules
        self._letters = letters
        self._clock = clock
        self.policy = policy

    async def register(self, wanted: NewPerson, password: str, *, network: str) -> None:
        """Make an account for somebody who asks; for a known address nothing changes, and nothing tells so.

        Raises:
            RegistrationClosed: people do not register themselves here.
            InvalidInput, WeakPassword: before anything is hashed.
            Busy: the hashing queue is full.
        """
        if self.policy.mode != "open":
            raise RegistrationClosed
        status: Status = "pending" if self.policy.verification else "active"
        person, address = self._person(wanted, status)
        if not self.policy.admits(address.canonical):
            raise RegistrationClosed
        chosen = await self._rules.accepted(password, names=(person.email, person.display_name))
        hashed = await self._hasher.hash(chosen, network=network)
        record = PasswordRecord(person.id, hashed, person.created_at)
        try:
            async with self._transactions.writing() as unit:
                known = await unit.subjects.by_email(address.canonical) is not None
                made = _invented(person) if known else person
                async with unit.trial(keep=not known) as trial:
                    await self._add(trial, made, record, by=made.urn)
                if known:
                    await self._tell_owner(unit, address, person.created_at)
                elif self.policy.verification:
                    await self._letters.put_for_stranger(unit, "verify", address.canonical, now=person.created_at)
        except Conflict:  # somebody registered the same address meanwhile
            async with self._transactions.writing() as unit:
                await self._tell_owner(unit, address, person.created_at)

    async def _tell_owner(self, unit: UnitOfWork, address: EmailAddress, now: datetime) -> None:
        if self.policy.verification:
            await self._letters.put_for_stranger(unit, "known", address.canonical, now=now)
        unit.record(Fact("subject.created", SYSTEM, SYSTEM, "denied", "the address has an account already"))

    async def admit(
        self,
        wanted: NewPerson,
        password: str,
        *,
        network: str,
        within: Callable[[UnitOfWork, Person], Awaitable[None]],
    ) -> Person:
        """Make an active account for somebody whose address is proved; ``within`` does the rest in its transaction.

        Raises:
            RegistrationClosed: nobody registers here.
            Conflict: the address has an account.
            InvalidInput, WeakPassword, Busy: as :meth:`register`.
        """
        if self.policy.mode == "closed":
            raise RegistrationClosed
        person, _address = self._person(wanted, "active", verified_at=self._clock())
        chosen = await self._rules.accepted(password, names=(person.email, person.display_name))
        hashed = await self._hasher.hash(chosen, network=network)
        async with self._transactions.writing() as unit:
            await self._add(unit, person, PasswordRecord(person.id, hashed, person.created_at), by=person.urn)
            await within(unit, person)
        return person

    async def create(
        self, wanted: NewPerson, *, by: str, password: str | None = None, verified: bool = True
    ) -> tuple[Person, str]:
        """Make an active account on behalf of somebody. The password, given or generated, is good for one sign-in in
        the next 24 hours and must be changed then. Returns the person and the password.

        Raises:
            Conflict: the address has an account.
            InvalidInput, WeakPassword, Busy: as :meth:`register`.
        """
        person, _address = self._person(wanted, "active", verified_at=self._clock() if verified else None)
        chosen, record = await self._one_time(person, password)
        async with self._transactions.writing() as unit:
            await self._add(unit, person, record, by=by)
        return person, chosen

    async def create_admin(
        self,
        wanted: NewPerson,
        *,
        password: str | None = None,
        only_first: bool = False,
        claims: bytes | None = None,
    ) -> tuple[Person, str]:
        """Make a platform administrator, or make one of an existing person and reset the password.

        A generated password is good for 24 hours and must be changed at first sign-in; a chosen one is not.

        Raises:
            BootstrapClosed: ``only_first`` and there is an administrator, or what it ``claims`` was claimed before.
            InvalidInput, WeakPassword, Busy: as :meth:`register`.
        """
        now = self._clock()
        person, address = self._person(wanted, "active", verified_at=now)
        async with self._transactions.reading() as unit:
            person = await unit.subjects.by_email(address.canonical) or person
        if password is None:
            chosen, record = await self._one_time(person, None)
        else:
            chosen = await self._rules.accepted(password, names=(person.email, person.display_name))
            record = PasswordRecord(person.id, await self._hasher.hash(chosen), now)
        async with self._transactions.writing() as unit:
            if only_first and await unit.grants.holders(PLATFORM_ADMIN):
                raise BootstrapClosed
            if claims and not await unit.used_values.claim("bootstrap", claims, until=_FOR_EVER):
                raise BootstrapClosed
            if await unit.subjects.get(person.id) is None:
                await self._add(unit, person, record, by=SYSTEM)
            else:
                await self._restore(unit, person, record, now)
            grant = Assignment(uuid7(), person.urn, PLATFORM_ADMIN, EVERYWHERE, now, SYSTEM)
            if await unit.grants.assign(grant):
                unit.record(Fact("role.granted", SYSTEM, person.urn, details={"role": PLATFORM_ADMIN}))
            await unit.versions.raise_topic(SUBJECTS)
        return person, chosen

    async def _one_time(self, person: Person, password: str | None) -> tuple[str, PasswordRecord]:
        if password is None:
            chosen = one_time_password()
        else:
            chosen = await self._rules.accepted(password, names=(person.email, person.display_name))
        now = self._clock()
        hashed = await self._hasher.hash(normalized(chosen))
        return chosen, PasswordRecord(person.id, hashed, now, must_change=True, usable_until=now + ONE_TIME_LIFE)

    def _person(
        self, wanted: NewPerson, status: Status, *, verified_at: datetime | None = None
    ) -> tuple[Person, EmailAddress]:
        address = email_address(wanted.email)
        now = self._clock()
        person = Person(
            id=SubjectId(uuid7()),
            email=address.shown,
            email_canonical=address.canonical,
            display_name=display_name(wanted.name or address.shown.partition("@")[0]),
            status=status,
            created_at=now,
            updated_at=now,
            email_verified_at=verified_at,
            locale=locale_tag(wanted.locale) if wanted.locale else None,
        )
        return person, address

    async def _add(self, unit: UnitOfWork, person: Person, record: PasswordRecord, *, by: str) -> None:
        await unit.subjects.add(person)
        await unit.credentials.set_password(record)
        unit.record(Fact("subject.created", by, person.urn))

    async def _restore(self, unit: UnitOfWork, person: Person, record: PasswordRecord, now: datetime) -> None:
        await unit.subjects.save(person.distrusted(now, status="active"), expected_version=person.version)
        await unit.credentials.set_password(record)
        await unit.sessions.end_all(person.id, at=now, reason="password reset by the operator")
        unit.record(Fact("password.changed", SYSTEM, person.urn, reason="reset by the operator"))


def _invented(person: Person) -> Person:
    """Somebody of an address that nobody has: making this account takes what making any other takes."""
    address = f"{person.id}@nobody.invalid"
    return replace(person, email=address, email_canonical=address)
