"""Enrol and remove an authenticator app and recovery codes; every route here asks for a fresh proof first."""

import secrets
from dataclasses import dataclass, field, replace

from au_sys_identity.core.derivation import Sealing
from au_sys_identity.core.errors import BadCredentials, Conflict
from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.checking import FactorCheck, plain_code, totp_place
from au_sys_identity.core.factors.models import Enrolled, TotpSecret
from au_sys_identity.core.factors.totp import matching_step, new_secret, provisioning_uri, shown_secret
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Clock, Transactions, UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId

_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH = 15


@dataclass(frozen=True, slots=True)
class NewTotp:
    """What the person puts into the app. It counts once a code of it was confirmed."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


class Enrolment:
    """Second factors of a person."""

    def __init__(
        self,
        transactions: Transactions,
        sealing: Sealing,
        check: FactorCheck,
        letters: LetterBox,
        clock: Clock,
        *,
        issuer: str,
    ) -> None:
        self._transactions = transactions
        self._letters = letters
        self._sealing = sealing
        self._check = check
        self._clock = clock
        self._issuer = issuer

    async def enrolled(self, subject_id: SubjectId) -> Enrolled:
        """What the person has."""
        async with self._transactions.reading() as unit:
            return await unit.factors.enrolled(subject_id)

    async def begin_totp(self, person: Person) -> NewTotp:
        """Make a secret that waits for its first code.

        Raises:
            Conflict: an app is enrolled already.
        """
        secret = new_secret()
        async with self._transactions.writing() as unit:
            if (await unit.factors.enrolled(person.id)).totp:
                raise Conflict("authenticator app")
            await unit.factors.set_totp(TotpSecret(person.id, self._sealing.seal(totp_place(person.id), secret)))
        return NewTotp(shown_secret(secret), provisioning_uri(secret, person.email, self._issuer))

    async def confirm_totp(self, person: Person, code: str) -> list[str]:
        """Enrol the waiting secret. Returns ten recovery codes, shown this once.

        Raises:
            BadCredentials: nothing waits, or the code is wrong.
        """
        now = self._clock()
        async with self._transactions.writing() as unit:
            waiting = await unit.factors.totp(person.id)
            if waiting is None or waiting.confirmed_at is not None:
                raise BadCredentials
            secret = self._sealing.unseal(totp_place(person.id), waiting.sealed)
            step = matching_step(secret, plain_code(code), now)
            if step is None:
                raise BadCredentials
            await unit.factors.set_totp(replace(waiting, confirmed_at=now, last_step=step))
            codes = await self._fresh_codes(unit, person.id)
            await self._letters.put(unit, "factor-changed", person.email_canonical, now=now)
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("factor.enrolled", person.urn, person.urn, details={"factor": "totp"}))
        return codes

    async def remove_totp(self, subject: Person, *, by: str) -> None:
        """Remove app and recovery codes; removing what is not there changes nothing."""
        async with self._transactions.writing() as unit:
            if await unit.factors.remove_totp(subject.id):
                if not (await unit.factors.enrolled(subject.id)).methods:
                    await unit.factors.set_recovery_codes(subject.id, [])
                    await unit.factors.forget_challenges(subject.id)
                await self._letters.put(unit, "factor-changed", subject.email_canonical, now=self._clock())
                await unit.versions.raise_topic(SUBJECTS)
                unit.record(Fact("factor.removed", by, subject.urn, details={"factor": "totp"}))

    async def new_recovery_codes(self, person: Person) -> list[str]:
        """Ten new codes, shown this once; older ones are dead.

        Raises:
            Conflict: there is no app or passkey whose loss they would bridge.
        """
        async with self._transactions.writing() as unit:
            if not (await unit.factors.enrolled(person.id)).methods:
                raise Conflict("recovery codes")
            codes = await self._fresh_codes(unit, person.id)
            await self._letters.put(unit, "factor-changed", person.email_canonical, now=self._clock())
            await unit.versions.raise_topic(SUBJECTS)
            unit.record(Fact("factor.enrolled", person.urn, person.urn, details={"factor": "recovery_codes"}))
        return codes

    async def remove_everything(self, subject: Person, *, by: str) -> None:
        """Remove app, passkeys and recovery codes of somebody who lost them."""
        async with self._transactions.writing() as unit:
            app, keys = await unit.factors.remove_totp(subject.id), await unit.passkeys.remove_all(subject.id)
            if app or keys:
                await unit.factors.set_recovery_codes(subject.id, [])
                await unit.factors.forget_challenges(subject.id)
                await self._letters.put(unit, "factor-changed", subject.email_canonical, now=self._clock())
                await unit.versions.raise_topic(SUBJECTS)
                unit.record(Fact("factor.removed", by, subject.urn, details={"factor": "all"}))

    async def _fresh_codes(self, unit: UnitOfWork, subject_id: SubjectId) -> list[str]:
        codes = [_recovery_code() for _ in range(_CODES)]
        await unit.factors.set_recovery_codes(
            subject_id, [self._check.recovery_hash(subject_id, code) for code in codes]
        )
        return codes


def _recovery_code() -> str:
    """A code of 74 bits in three groups; letters and digits that look alike are left out."""
    plain = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(plain[start : start + 5] for start in range(0, _LENGTH, 5))
