"""Check a second factor inside an open transaction; each code works once."""

from dataclasses import dataclass
from datetime import datetime

from au_sys_identity.core.derivation import Derivation, Sealing
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.models import Method
from au_sys_identity.core.factors.totp import matching_step
from au_sys_identity.core.freshness import SUBJECTS
from au_sys_identity.core.ports import UnitOfWork
from au_sys_identity.core.subjects.models import SubjectId

_LONGEST_CODE = 64


def totp_place(subject_id: SubjectId) -> str:
    """Where a secret is stored, which seals it to its owner."""
    return f"totp_secrets:{subject_id}"


def plain_code(code: str) -> str:
    """A code without the spaces and dashes that people type."""
    return "".join(character for character in code[:_LONGEST_CODE] if character not in " -\t").lower()


@dataclass(frozen=True, slots=True)
class FactorCheck:
    """Knows how each method is checked."""

    sealing: Sealing
    derivation: Derivation
    passkeys: PasskeyCheck

    async def passes(
        self,
        unit: UnitOfWork,
        subject_id: SubjectId,
        method: Method,
        code: str,
        *,
        now: datetime,
        flow: str | None = None,
    ) -> bool:
        """Whether the code is right, and was not used before. The code of a passkey is what the browser made of it."""
        if method == "passkey":
            return await self.passkeys.owner(unit, code, flow, now=now, confirms=subject_id) is not None
        if method == "recovery_code":
            used = await unit.factors.use_recovery_code(subject_id, self.recovery_hash(subject_id, code))
            older = self.derivation.older_hash("recovery-code", subject_id.bytes, plain_code(code).encode())
            if not used and older is not None:
                used = await unit.factors.use_recovery_code(subject_id, older)
            if used:
                await unit.versions.raise_topic(SUBJECTS)
            return used
        stored = await unit.factors.totp(subject_id)
        if stored is None or stored.confirmed_at is None:
            return False
        step = matching_step(self.sealing.unseal(totp_place(subject_id), stored.sealed), plain_code(code), now)
        return step is not None and await unit.factors.accept_step(subject_id, step)

    def recovery_hash(self, subject_id: SubjectId, code: str) -> bytes:
        """A keyed hash: a stolen database tells no code."""
        return self.derivation.keyed_hash("recovery-code", subject_id.bytes, plain_code(code).encode())
