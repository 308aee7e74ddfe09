"""Take a passkey's signature inside an open transaction: the challenge once, the right owner, a counter that grows."""

from dataclasses import dataclass
from datetime import datetime

from au_sys_identity.core.events import Fact
from au_sys_identity.core.factors.challenges import PasskeyChallenges
from au_sys_identity.core.factors.models import Passkey, Purpose, Signature
from au_sys_identity.core.factors.ports import Asserted, BadPasskey, PasskeyCeremony
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.subjects.models import Person, SubjectId, subject_urn

_LONGEST_ANSWER = 16_384


@dataclass(frozen=True, slots=True)
class PasskeyCheck:
    """Knows how a signature is checked. What was used up stays used when the check fails."""

    ceremony: PasskeyCeremony
    challenges: PasskeyChallenges

    async def owner(
        self, unit: UnitOfWork, answer: str, flow: str | None, *, now: datetime, confirms: SubjectId | None = None
    ) -> Person | None:
        """Whose passkey signed, or ``None``. With ``confirms`` only that person's will do."""
        purpose: Purpose = "confirm" if confirms else "sign-in"
        passkey: Passkey | None = None
        try:
            if len(answer) > _LONGEST_ANSWER:
                raise BadPasskey("too long")
            shown = self.ceremony.presented(answer)
            about = confirms.bytes if confirms else b""
            if not await self.challenges.take(unit.used_values, shown.challenge, purpose, flow, now=now, about=about):
                raise BadPasskey("challenge")
            passkey = await unit.passkeys.by_credential(shown.credential_id)
            if passkey is None or (confirms and passkey.subject_id != confirms):
                raise BadPasskey("unknown credential")
            if shown.user_handle is not None and shown.user_handle != passkey.subject_id.bytes:
                raise BadPasskey("user handle names somebody else")
            if shown.user_handle is None and confirms is None:
                raise BadPasskey("user handle is missing")
            fits = self.ceremony.asserted(answer, challenge=shown.challenge, public_key=passkey.public_key)
            await self._plausible(unit, passkey, fits, now)
        except BadPasskey as error:
            _suspected(unit, passkey, str(error))
            return None
        return await unit.subjects.get(passkey.subject_id)

    async def signature(
        self, unit: UnitOfWork, answer: str, challenge: bytes, signer: SubjectId, *, now: datetime
    ) -> Signature | None:
        """What a person's passkey signed instead of a challenge of ours, or ``None`` when it does not fit."""
        passkey: Passkey | None = None
        try:
            if len(answer) > _LONGEST_ANSWER:
                raise BadPasskey("too long")
            shown = self.ceremony.presented(answer)
            passkey = await unit.passkeys.by_credential(shown.credential_id)
            if passkey is None or passkey.subject_id != signer:
                raise BadPasskey("unknown credential")
            if shown.user_handle is not None and shown.user_handle != signer.bytes:
                raise BadPasskey("user handle names somebody else")
            fits = self.ceremony.asserted(answer, challenge=challenge, public_key=passkey.public_key)
            await self._plausible(unit, passkey, fits, now)
        except BadPasskey as error:
            _suspected(unit, passkey, str(error))
            return None
        return Signature(
            credential_id=passkey.credential_id,
            public_key=passkey.public_key,
            authenticator_data=fits.authenticator_data,
            client_data=fits.client_data,
            signature=fits.signature,
        )

    async def _plausible(self, unit: UnitOfWork, passkey: Passkey, fits: Asserted, now: datetime) -> None:
        counts = fits.sign_count or passkey.sign_count
        if counts and fits.sign_count <= passkey.sign_count:
            raise BadPasskey("the counter went back")
        if fits.backup_eligible != passkey.backup_eligible or (fits.backed_up and not fits.backup_eligible):
            raise BadPasskey("the backup flags contradict")
        if not await unit.passkeys.used(passkey, sign_count=fits.sign_count, backed_up=fits.backed_up, at=now):
            raise BadPasskey("used at the same time elsewhere")


def _suspected(unit: UnitOfWork, passkey: Passkey | None, reason: str) -> None:
    """A refusal with somebody's real credential is an event of its own."""
    if passkey is not None:
        urn = subject_urn("person", passkey.subject_id)
        unit.record(Fact("factor.suspected", "urn:au:system:anonymous", urn, "denied", reason, {"factor": "passkey"}))
