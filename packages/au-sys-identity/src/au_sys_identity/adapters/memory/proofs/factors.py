"""FactorStore in plain dicts."""

from dataclasses import replace
from datetime import datetime

from au_sys_identity.adapters.memory.tables import Tables
from au_sys_identity.core.factors.models import Challenge, Enrolled, TotpSecret
from au_sys_identity.core.subjects.models import SubjectId


class MemoryFactors:
    """See :class:`~au_sys_identity.core.factors.ports.FactorStore`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def enrolled(self, subject_id: SubjectId) -> Enrolled:
        secret = self._tables.totp.get(subject_id)
        left = len(self._tables.recovery_codes.get(subject_id, frozenset()))
        person = self._tables.persons.get(subject_id)
        return Enrolled(
            totp=bool(secret and secret.confirmed_at),
            recovery_codes_left=left,
            passkeys=sum(known.subject_id == subject_id for known in self._tables.passkeys.values()),
            password=subject_id in self._tables.passwords or bool(person and person.auth_source != "local"),
        )

    async def totp(self, subject_id: SubjectId) -> TotpSecret | None:
        return self._tables.totp.get(subject_id)

    async def set_totp(self, secret: TotpSecret) -> None:
        self._tables.totp[secret.subject_id] = secret

    async def remove_totp(self, subject_id: SubjectId) -> bool:
        return self._tables.totp.pop(subject_id, None) is not None

    async def accept_step(self, subject_id: SubjectId, step: int) -> bool:
        known = self._tables.totp.get(subject_id)
        if known is None or known.last_step >= step:
            return False
        self._tables.totp[subject_id] = replace(known, last_step=step)
        return True

    async def set_recovery_codes(self, subject_id: SubjectId, hashes: list[bytes]) -> None:
        self._tables.recovery_codes[subject_id] = frozenset(hashes)

    async def use_recovery_code(self, subject_id: SubjectId, code_hash: bytes) -> bool:
        known = self._tables.recovery_codes.get(subject_id, frozenset())
        self._tables.recovery_codes[subject_id] = known - {code_hash}
        return code_hash in known

    async def add_challenge(self, challenge: Challenge) -> None:
        self._tables.challenges[challenge.token_hash] = challenge

    async def try_challenge(self, token_hash: bytes) -> Challenge | None:
        known = self._tables.challenges.get(token_hash)
        if known is None:
            return None
        tried = replace(known, attempts=known.attempts + 1)
        self._tables.challenges[token_hash] = tried
        return tried

    async def challenge(self, token_hash: bytes) -> Challenge | None:
        return self._tables.challenges.get(token_hash)

    async def finish_challenge(self, challenge: Challenge) -> bool:
        return self._tables.challenges.pop(challenge.token_hash, None) is not None

    async def forget_challenges(self, subject_id: SubjectId) -> None:
        for key in [key for key, known in self._tables.challenges.items() if known.subject_id == subject_id]:
            del self._tables.challenges[key]

    async def forget_expired(self, now: datetime) -> None:
        for key in [key for key, known in self._tables.challenges.items() if known.expires_at <= now]:
            del self._tables.challenges[key]
