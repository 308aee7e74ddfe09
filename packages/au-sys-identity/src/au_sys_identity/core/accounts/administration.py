"""Read and change accounts: people their own, administrators everybody's."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import available_timezones

from au_sys_identity.core.access.granting import refuse_last_admin
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.credentials.passwords import PasswordRules
from au_sys_identity.core.credentials.ports import PasswordHasher
from au_sys_identity.core.errors import InvalidInput, NotFound, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.machines.custody import orphaned_by
from au_sys_identity.core.machines.succession import Heirs, settle_custody
from au_sys_identity.core.notices.models import Envelope
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.sessions.models import Client, SessionTimes, Strength
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.subjects.addresses import email_address
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.names import display_name, locale_tag
from au_sys_identity.core.subjects.ports import PersonFilter

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What people may change about themselves without further proof; ``None`` leaves a field as it is."""

    display_name: str | None = None
    locale: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What administrators may change; ``None`` leaves a field as it is."""

    display_name: str | None = None
    locale: str | None = None
    email: str | None = None
    is_active: bool | None = None
    is_verified: bool | None = None
    must_change_password: bool | None = None
    status_reason: str | None = None


class Accounts:
    """Accounts of persons."""

    def __init__(
        self,
        transactions: Transactions,
        hasher: PasswordHasher,
        rules: PasswordRules,
        sign_in: SignIn,
        letters: LetterBox,
        clock: Clock,
        *,
        times: SessionTimes,
    ) -> None:
        self._transactions = transactions
        self._hasher = hasher
        self._rules = rules
        self._sign_in = sign_in
        self._letters = letters
        self._clock = clock
        self._times = times

    async def get(self, subject_id: SubjectId | None) -> Person:
        """A person who is not closed.

        Raises:
            NotFound: there is none.
        """
        async with self._transactions.reading() as unit:
            return await _known(unit, subject_id)

    async def must_change_password(self, subject_id: SubjectId) -> bool:
        """Whether the person has to choose a new password first."""
        async with self._transactions.reading() as unit:
            record = await unit.credentials.password(subject_id)
        return bool(record and record.must_change)

    async def has_password(self, subject_id: SubjectId) -> bool:
        """Whether the account has a password here."""
        async with self._transactions.reading() as unit:
            return await unit.credentials.password(subject_id) is not None

    async def page(self, wanted: PersonFilter) -> list[Person]:
        """Persons in the order of their ids."""
        async with self._transactions.reading() as unit:
            return await unit.subjects.page(wanted)

    async def change_profile(
        self, subject_id: SubjectId, change: ProfileChange, *, expected_version: int | None = None
    ) -> Person:
        """Change one's own profile.

        Raises:
            InvalidInput: a field breaks a rule; nothing is changed.
            Stale: ``expected_version`` is not the stored one.
        """
        async with self._transactions.writing() as unit:
            person = await _known(unit, subject_id, expected_version)
            changed = replace(
                _profiled(person, change.display_name, change.locale),
                timezone=_timezone(change.timezone) if change.timezone is not None else person.timezone,
            )
            return await self._save(unit, person, changed, by=person.urn)

    async def ask_for_address(
        self, subject_id: SubjectId, email: str, *, expected_version: int | None = None
    ) -> Person:
        """Ask to use another address. It counts once its owner opened a mail; the present one is told. Whether the new
        one belongs to somebody already is not told.

        Raises:
            InvalidInput: it is no address, or the present one.
            Stale: ``expected_version`` is not the stored one.
        """
        address, now = email_address(email), self._clock()
        async with self._transactions.writing() as unit:
            person = await _known(unit, subject_id, expected_version)
            if address.canonical == person.email_canonical:
                raise InvalidInput("email", "is your address already", "Give another one.")
            if person.auth_source != "local":
                raise InvalidInput("email", "is set where you sign in", "Change it in your directory.")
            wanted = Envelope(address.canonical, subject=person.id)
            await self._letters.put_sealed_for_stranger(unit, "email", wanted, now=now)
            told = Envelope(subject=person.id, text=address.shown)
            await self._letters.put_sealed(unit, "email-asked", told, now=now)
            unit.record(Fact("subject.changed", person.urn, person.urn, reason="another address was asked for"))
        return person

    async def change_password(
        self, person: Person, current: str, new: str, *, client: Client, reopen: Strength | None
    ) -> Opened | None:
        """Set a new password: every session ends. ``reopen`` gives the browser that changed it a new one
        of that strength; programs sign in again.

        Raises:
            BadCredentials, TooManyAttempts: the current password is wrong, or was guessed too often.
            WeakPassword: before anything is hashed.
        """
        chosen = await self._rules.accepted(new, names=(person.email, person.display_name))
        await self._sign_in.verify_again(person, current, client=client)
        hashed = await self._hasher.hash(chosen, network=client.network)
        now = self._clock()
        async with self._transactions.writing() as unit:
            known = await _known(unit, person.id)
            if known.epoch != person.epoch:
                raise Stale
            renewed = known.distrusted(now)
            await unit.subjects.save(renewed, expected_version=known.version)
            await unit.credentials.set_password(PasswordRecord(known.id, hashed, now))
            await unit.sessions.end_all(known.id, at=now, reason="password changed")
            opened = None
            if reopen is not None:
                opened = await open_session(
                    unit,
                    renewed,
                    Proof("web", reopen, ("pwd",)),
                    client=client,
                    times=self._times,
                    now=now,
                )
            await self._letters.put(unit, "password-changed", known.email_canonical, now=now)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("password.changed", known.urn, known.urn))
        return opened

    async def change(
        self, subject_id: SubjectId | None, change: AccountChange, *, by: str, expected_version: int | None = None
    ) -> Person:
        """Change somebody's account. Switching it off or giving it another address ends its sessions.

        Raises:
            NotFound, Stale, InvalidInput, Conflict: nothing is changed.
            LastAdmin: the person is the last administrator.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            person = await _known(unit, subject_id, expected_version)
            changed = self._changed(person, change, now)
            if changed.status != "active":
                await refuse_last_admin(unit, without=person.urn, now=now)
            if person.active and not changed.active:
                for machine in await orphaned_by(unit, person.id, now):
                    unit.record(Fact("custody.lost", by, machine.urn, details={"from": person.urn}))
            if changed.epoch != person.epoch:
                await unit.sessions.end_all(person.id, at=now, reason="account changed by an administrator")
            if change.must_change_password is not None:
                record = await unit.credentials.password(person.id)
                if record is not None:
                    await unit.credentials.set_password(replace(record, must_change=change.must_change_password))
            action = _action(person, changed)
            return await self._save(unit, person, changed, by=by, action=action, reason=change.status_reason or "")

    async def unlock(self, subject_id: SubjectId | None, *, by: str) -> None:
        """Forget wrong sign-ins: nobody waits any more, wherever they tried.

        Raises:
            NotFound: there is no such person.
        """
        async with self._transactions.writing() as unit:
            person = await _known(unit, subject_id)
            await self._sign_in.forgive_all(unit, person)
            unit.record(Fact("account.unlocked", by, person.urn))

    async def close(self, subject_id: SubjectId | None, *, by: str, heirs: Heirs | None = None) -> None:
        """Close an account for ever: a tombstone stays, its address is free, its credentials are gone.

        Raises:
            NotFound: there is none.
            LastAdmin: the person is the last administrator.
            HasDependents: machines would be left alone, and ``heirs`` does not say what becomes of them.
            InvalidInput: the successor is no other active person.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            person = await _known(unit, subject_id)
            await refuse_last_admin(unit, without=person.urn, now=now)
            await settle_custody(unit, person, heirs or Heirs(), by=by, now=now)
            await unit.api_keys.revoke_all(person.id, at=now)
            await unit.sessions.end_all(person.id, at=now, reason="account closed")
            await unit.credentials.remove_password(person.id)
            for held in await unit.grants.of_subject(person.urn):
                await unit.grants.withdraw(held.subject, held.role, held.domain)
            await self._save(unit, person, person.distrusted(now, status="closed"), by=by, action="subject.closed")

    def _changed(self, person: Person, change: AccountChange, now: datetime) -> Person:
        changed = _profiled(person, change.display_name, change.locale)
        if change.status_reason is not None:
            changed = replace(changed, status_reason=change.status_reason[:_LONGEST_REASON])
        if change.email is not None:
            address = email_address(change.email)
            changed = replace(changed, email=address.shown, email_canonical=address.canonical, email_verified_at=None)
        if change.is_verified is not None:
            changed = replace(changed, email_verified_at=now if change.is_verified else None)
        if change.is_active is not None and change.is_active != person.active:
            changed = replace(changed, status="active" if change.is_active else "disabled")
        if changed.status != person.status or changed.email_canonical != person.email_canonical:
            changed = replace(changed, epoch=person.epoch + 1)
        return changed

    async def _save(
        self,
        unit: UnitOfWork,
        before: Person,
        after: Person,
        *,
        by: str,
        action: str = "subject.changed",
        reason: str = "",
    ) -> Person:
        saved = replace(after, version=before.version + 1, updated_at=self._clock())
        await unit.subjects.save(saved, expected_version=before.version)
        await unit.versions.raise_topic(SUBJECTS)
        unit.record(Fact(action, by, before.urn, reason=reason))
        return saved


async def _known(unit: UnitOfWork, subject_id: SubjectId | None, expected_version: int | None = None) -> Person:
    person = await unit.subjects.get(subject_id) if subject_id else None
    if person is None or person.status == "closed":
        raise NotFound("person")
    if expected_version is not None and person.version != expected_version:
        raise Stale
    return person


def _profiled(person: Person, name: str | None, locale: str | None) -> Person:
    return replace(
        person,
        display_name=person.display_name if name is None else display_name(name),
        locale=person.locale if locale is None else (locale_tag(locale) if locale else None),
    )


def _timezone(text: str) -> str | None:
    if text and text not in available_timezones():
        raise InvalidInput("timezone", "is not a time zone", "Use a name such as Europe/Stockholm.")
    return text or None


def _action(before: Person, after: Person) -> str:
    if before.status == after.status:
        return "subject.changed"
    return "subject.enabled" if after.status == "active" else "subject.disabled"
