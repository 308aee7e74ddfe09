"""What people do through a mail: verify an address, get in again after a forgotten password."""

from dataclasses import dataclass, replace
from datetime import datetime

from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.credentials.passwords import PasswordRules
from au_sys_identity.core.credentials.ports import PasswordHasher
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.errors import BadToken, Conflict, InvalidInput
from au_sys_identity.core.events import Fact
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.notices.models import Envelope, Purpose
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.addresses import email_address
from au_sys_identity.core.subjects.models import Person


@dataclass(slots=True)
class ResetRules:
    """What a password reset does. Changed in place when an administrator changes a setting."""

    kills_keys: bool = True


class MailLinks:
    """Asking answers the same for every address, in the same time; the mail tells the rest."""

    def __init__(
        self,
        transactions: Transactions,
        letters: LetterBox,
        hasher: PasswordHasher,
        rules: PasswordRules,
        clock: Clock,
        *,
        lockout: Lockout,
        rules_of_reset: ResetRules | None = None,
    ) -> None:
        self._transactions = transactions
        self._letters = letters
        self._hasher = hasher
        self._rules = rules
        self._clock = clock
        self._lockout = lockout
        self._of_reset = rules_of_reset or ResetRules()

    async def ask(self, purpose: Purpose, email: str) -> None:
        """Ask for a link. What is no address at all is not told either."""
        try:
            address = email_address(email).canonical
        except InvalidInput:
            return
        async with self._transactions.writing() as unit:
            await self._letters.put_for_stranger(unit, purpose, address, now=self._clock())

    async def verify(self, token: str) -> Person:
        """The address is its owner's; a pending account is active from now on.

        Raises:
            BadToken: the link is of no use, or was for another address.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            moved = await self._moved(unit, token, now)
            if moved is not None:
                return moved
            found = await unit.one_time_tokens.find("verify", digest(token), now=now)
            person = await unit.subjects.get(found.subject_id) if found else None
            if found is None or person is None or person.email_canonical != found.address:
                raise BadToken
            if person.status not in ("pending", "active") or not await unit.one_time_tokens.use(found):
                raise BadToken
            verified = replace(
                person, status="active", email_verified_at=now, version=person.version + 1, updated_at=now
            )
            await unit.subjects.save(verified, expected_version=person.version)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("subject.changed", person.urn, person.urn, reason="address verified"))
        return verified

    async def _moved(self, unit: UnitOfWork, token: str, now: datetime) -> Person | None:
        """The person whose new address this link confirms; ``None`` when it is another kind of link.

        Raises:
            BadToken: somebody else has the address by now, or the account is not active.
        """
        found = await unit.one_time_tokens.find("email", digest(token), now=now)
        if found is None:
            return None
        person = await unit.subjects.get(found.subject_id)
        if person is None or not person.active or not await unit.one_time_tokens.use(found):
            raise BadToken
        moved = replace(
            person,
            email=found.address,
            email_canonical=found.address,
            email_verified_at=now,
            version=person.version + 1,
            updated_at=now,
        )
        try:
            await unit.subjects.save(moved, expected_version=person.version)
        except Conflict:
            raise BadToken from None
        told = Envelope(person.email_canonical, subject=person.id, text=moved.email)
        await self._letters.put_sealed(unit, "email-changed", told, now=now)
        await unit.versions.raise_topic(SUBJECTS)
        unit.record(Fact("subject.changed", person.urn, person.urn, reason="another address"))
        return moved

    async def reset(self, token: str, password: str, *, network: str) -> None:
        """Set a new password: every session and, by rule, every key ends. A second factor stays in force.

        Raises:
            BadToken: the link is of no use; nothing is hashed.
            WeakPassword: the link stays good.
            Busy: the hashing queue is full; the link stays good.
        """
        now = self._clock()
        async with self._transactions.reading() as unit:
            found = await unit.one_time_tokens.find("reset", digest(token), now=now)
            person = await unit.subjects.get(found.subject_id) if found else None
        if found is None or person is None or not person.active or person.email_canonical != found.address:
            raise BadToken
        chosen = await self._rules.accepted(password, names=(person.email, person.display_name))
        hashed = await self._hasher.hash(chosen, network=network)
        async with self._transactions.writing() as unit:
            person = await unit.subjects.get(found.subject_id)
            if person is None or not person.active or not await unit.one_time_tokens.use(found):
                raise BadToken
            renewed = replace(person.distrusted(now), email_verified_at=person.email_verified_at or now)
            await unit.subjects.save(renewed, expected_version=person.version)
            await unit.credentials.set_password(PasswordRecord(person.id, hashed, now))
            await unit.sessions.end_all(person.id, at=now, reason="password reset")
            if self._of_reset.kills_keys:
                await unit.api_keys.revoke_all(person.id, at=now)
            await self._lockout.unlock(unit.guesses, self._letters.derivation, person.email_canonical)
            await self._letters.put(unit, "password-changed", person.email_canonical, now=now)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("password.changed", person.urn, person.urn, reason="reset by mail"))
