"""Register, name and remove passkeys; every route here asks for a fresh proof first."""

from typing import Any
from uuid import UUID

from au_sys_identity.core.errors import BadCredentials, KeyLimit, LastWayIn, NotFound
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.challenges import PasskeyChallenges
from au_sys_identity.core.factors.models import Passkey
from au_sys_identity.core.factors.ports import BadPasskey, PasskeyCeremony
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.subjects.names import display_name

_MOST = 20


class Passkeys:
    """Passkeys of a person."""

    def __init__(
        self,
        transactions: Transactions,
        ceremony: PasskeyCeremony,
        challenges: PasskeyChallenges,
        letters: LetterBox,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._ceremony = ceremony
        self._challenges = challenges
        self._letters = letters
        self._clock = clock

    async def of_subject(self, subject_id: SubjectId) -> list[Passkey]:
        """Oldest first."""
        async with self._transactions.reading() as unit:
            return await unit.passkeys.of_subject(subject_id)

    async def options(self, person: Person, session_id: UUID) -> dict[str, Any]:  # Any: JSON
        """What the browser needs to make a passkey; good for this session.

        Raises:
            KeyLimit: the person has as many as may be.
        """
        known = await self.of_subject(person.id)
        if len(known) >= _MOST:
            raise KeyLimit(_MOST)
        return self._ceremony.creation_options(
            user_id=person.id.bytes,
            name=person.email,
            display_name=person.display_name,
            challenge=self._challenges.new("register", str(session_id), now=self._clock(), about=person.id.bytes),
            exclude=known,
        )

    async def register(self, person: Person, session_id: UUID, attestation: str, name: str) -> Passkey:
        """Keep the passkey that an authenticator made.

        Raises:
            BadCredentials: the answer does not fit the options, or came twice or too late.
            Conflict: the authenticator's passkey is known already.
            KeyLimit: the person has as many as may be.
            InvalidInput: the name breaks a rule.
        """
        shown, now = display_name(name, "name"), self._clock()
        async with self._transactions.writing() as unit:
            challenge = await self._taken(unit, person, session_id, attestation)
        try:
            made = self._ceremony.attested(attestation, challenge=challenge)
        except BadPasskey:
            raise BadCredentials from None
        passkey = Passkey(
            id=uuid7(),
            subject_id=person.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            name=shown,
            created_at=now,
            sign_count=made.sign_count,
            aaguid=made.aaguid,
            transports=made.transports,
            backup_eligible=made.backup_eligible,
            backed_up=made.backed_up,
        )
        async with self._transactions.writing() as unit:
            if len(await unit.passkeys.of_subject(person.id)) >= _MOST:
                raise KeyLimit(_MOST)
            await unit.passkeys.add(passkey)
            await self._changed(unit, person, Fact("factor.enrolled", person.urn, person.urn, details=_DETAILS))
        return passkey

    async def rename(self, subject_id: SubjectId, passkey_id: UUID, name: str) -> Passkey:
        """Give a passkey a name that its owner recognizes.

        Raises:
            NotFound: the person has no such passkey.
            InvalidInput: the name breaks a rule.
        """
        async with self._transactions.writing() as unit:
            if not await unit.passkeys.rename(subject_id, passkey_id, display_name(name, "name")):
                raise NotFound("passkey")
            return next(known for known in await unit.passkeys.of_subject(subject_id) if known.id == passkey_id)

    async def remove(self, person: Person, passkey_id: UUID) -> None:
        """Remove a passkey; with the last factor the recovery codes go too.

        Raises:
            NotFound: the person has no such passkey.
            LastWayIn: without it the person could not sign in any more.
        """
        async with self._transactions.writing() as unit:
            if not await unit.passkeys.remove(person.id, passkey_id):
                raise NotFound("passkey")
            left = await unit.factors.enrolled(person.id)
            if not left.passkeys and not left.password:
                raise LastWayIn
            if not left.methods:
                await unit.factors.set_recovery_codes(person.id, [])
                await unit.factors.forget_challenges(person.id)
            await self._changed(unit, person, Fact("factor.removed", person.urn, person.urn, details=_DETAILS))

    async def _taken(self, unit: UnitOfWork, person: Person, session_id: UUID, attestation: str) -> bytes:
        """The challenge inside the answer, used up."""
        try:
            challenge = self._ceremony.presented(attestation).challenge
        except BadPasskey:
            raise BadCredentials from None
        taken = await self._challenges.take(
            unit.used_values, challenge, "register", str(session_id), now=self._clock(), about=person.id.bytes
        )
        if not taken:
            raise BadCredentials
        return challenge

    async def _changed(self, unit: UnitOfWork, person: Person, fact: Fact) -> None:
        await self._letters.put(unit, "factor-changed", person.email_canonical, now=self._clock())
        await unit.versions.raise_topic(SUBJECTS)
        unit.record(fact)


_DETAILS: dict[str, str | int | bool | None] = {"factor": "passkey"}
