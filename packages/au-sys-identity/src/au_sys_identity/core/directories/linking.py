"""Tie outside logins to one subject, by the five rules; nothing is linked on the word of an address alone.

1. A known issuer and id lead to their account. 2. Who is signed in and has just proved it links a login to the own
account. 3. An account with the same address is taken over only by who is authoritative for the mail domain and asserts
the address as verified. 4. If that account never verified its address, its password, sessions, keys and factors go
first: whoever made it proved nothing. 5. Nobody known: an account is made if that is allowed.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from au_sys_identity.core.access.granting import refuse_last_admin
from au_sys_identity.core.access.models import SYSTEM
from au_sys_identity.core.directories.errors import LoginLinkedElsewhere
from au_sys_identity.core.directories.models import LinkedLogin, OutsideIdentity
from au_sys_identity.core.errors import BadCredentials, ConfirmNeeded, Conflict, InvalidInput, LastAdmin, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.addresses import EmailAddress, email_address
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.names import display_name, locale_tag

_SIGN_IN_FIRST = (
    "An account with this address exists already. Sign in to it the way you did before, then link this login under "
    "/account/security."
)


@dataclass(frozen=True, slots=True)
class LinkRules:
    """What a provider or directory may do with accounts: for which mail domains it speaks, and whether it makes any."""

    domains: tuple[str, ...] = ()
    provision: bool = False

    def speaks_for(self, address: EmailAddress) -> bool:
        """Whether it is authoritative for the domain of an address."""
        return address.canonical.rpartition("@")[2] in self.domains


class Linking:
    """Outside logins of accounts."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    async def settle(self, unit: UnitOfWork, who: OutsideIdentity, rules: LinkRules) -> SubjectId:
        """Whose account an outside login leads to, inside an open transaction.

        Raises:
            ConfirmNeeded: the account has to be signed in to first.
            BadCredentials: it leads to no account, and none is made.
        """
        now = self._clock()
        known = await unit.linked_logins.find(who.issuer, who.external_id)
        if known is not None:
            await unit.linked_logins.used(known.id, at=now)
            return known.subject_id
        address = usable_address(who.email) if who.email else None
        person = await unit.subjects.by_email(address.canonical) if address else None
        if person is not None and address is not None:
            if not (who.email_verified and rules.speaks_for(address)):
                raise ConfirmNeeded(_SIGN_IN_FIRST)
            person = await taken_over(unit, person, now=now)
        elif rules.provision and address is not None and who.email_verified:
            person = new_person(address, who.display_name, who.locale, source=f"provider:{who.provider}", now=now)
            await unit.subjects.add(person)
            unit.record(Fact("subject.created", SYSTEM, person.urn, details={"source": person.auth_source}))
        else:
            raise BadCredentials
        await self._add(unit, person, who, by=SYSTEM, now=now)
        return person.id

    async def link(self, unit: UnitOfWork, subject_id: SubjectId, who: OutsideIdentity) -> None:
        """Link a login to the account of somebody who has just proved who they are.

        Raises:
            LoginLinkedElsewhere: it leads to another account.
            NotFound: the account is gone.
        """
        person = await unit.subjects.get(subject_id)
        if person is None or not person.active:
            raise NotFound("person")
        known = await unit.linked_logins.find(who.issuer, who.external_id)
        if known is not None:
            if known.subject_id != subject_id:
                raise LoginLinkedElsewhere
            return
        await self._add(unit, person, who, by=person.urn, now=self._clock())

    async def of_subject(self, subject_id: SubjectId) -> list[LinkedLogin]:
        """Outside logins of an account."""
        async with self._transactions.reading() as unit:
            return await unit.linked_logins.of_subject(subject_id)

    async def unlink(self, person: Person, login_id: str) -> None:
        """Take an outside login away.

        Raises:
            NotFound: the account has no such login.
            Conflict: it is the last way in.
        """
        async with self._transactions.writing() as unit:
            own = await unit.linked_logins.of_subject(person.id)
            found = next((login for login in own if str(login.id) == login_id), None)
            if found is None:
                raise NotFound("login")
            other = await unit.credentials.password(person.id) or await unit.passkeys.of_subject(person.id)
            if len(own) == 1 and not (other or await unit.directory_entries.of_subject(person.id)):
                raise Conflict("last way in")
            await unit.linked_logins.remove(found.id)
            unit.record(Fact("login.unlinked", person.urn, person.urn, details={"provider": found.provider}))

    async def _add(self, unit: UnitOfWork, person: Person, who: OutsideIdentity, *, by: str, now: datetime) -> None:
        login = LinkedLogin(uuid7(), person.id, who.provider, who.issuer, who.external_id, now, now)
        await unit.linked_logins.add(login)
        unit.record(Fact("login.linked", by, person.urn, details={"provider": who.provider}))


def usable_address(text: str) -> EmailAddress | None:
    """The address, if it is one."""
    try:
        return email_address(text)
    except InvalidInput:
        return None


def new_person(address: EmailAddress, name: str | None, locale: str | None, *, source: str, now: datetime) -> Person:
    """An active account without password, with what can be used of a name and a locale from outside."""
    try:
        shown = display_name((name or "")[:120])
    except InvalidInput:
        shown = address.shown.rpartition("@")[0][:120]
    return Person(
        id=SubjectId(uuid7()),
        email=address.shown,
        email_canonical=address.canonical,
        display_name=shown,
        status="active",
        created_at=now,
        updated_at=now,
        email_verified_at=now,
        locale=usable_locale(locale),
        auth_source=source,
    )


def usable_locale(text: str | None) -> str | None:
    """A language tag from outside, if it is one."""
    try:
        return locale_tag(text) if text else None
    except InvalidInput:
        return None


async def taken_over(unit: UnitOfWork, person: Person, *, now: datetime) -> Person:
    """The account that its mail domain's authority leads to. What its maker never proved is emptied first.

    Raises:
        BadCredentials: it is switched off, or nobody else could administer the platform.
    """
    if person.status in ("disabled", "closed"):
        raise BadCredentials
    if person.email_verified_at is not None:
        return person
    try:
        await refuse_last_admin(unit, without=person.urn, now=now)
    except LastAdmin:
        raise BadCredentials from None
    emptied = replace(person.distrusted(now, status="active"), email_verified_at=now)
    await unit.subjects.save(emptied, expected_version=person.version)
    await unit.credentials.remove_password(person.id)
    await unit.sessions.end_all(person.id, at=now, reason="the address was never verified")
    await unit.api_keys.revoke_all(person.id, at=now)
    await unit.factors.remove_totp(person.id)
    await unit.passkeys.remove_all(person.id)
    await unit.linked_logins.remove_all(person.id)
    await unit.versions.raise_topic(SUBJECTS)
    unit.record(Fact("subject.changed", SYSTEM, person.urn, reason="emptied: the address was never verified"))
    return emptied
