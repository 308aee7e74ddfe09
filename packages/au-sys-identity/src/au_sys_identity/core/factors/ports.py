"""FactorStore: authenticator secrets, recovery codes, challenges; everything single-use is settled by a swap."""

from datetime import datetime
from typing import Protocol

from au_sys_identity.core.factors.models import Challenge, Enrolled, TotpSecret
from au_sys_identity.core.subjects.models import SubjectId


class FactorStore(Protocol):
    """Second factors of subjects."""

    async def enrolled(self, subject_id: SubjectId) -> Enrolled: ...

    async def totp(self, subject_id: SubjectId) -> TotpSecret | None: ...

    async def set_totp(self, secret: TotpSecret) -> None:
        """Keep the secret, in place of an older one."""

    async def remove_totp(self, subject_id: SubjectId) -> bool: ...

    async def accept_step(self, subject_id: SubjectId, step: int) -> bool:
        """Note the newest accepted step; ``False`` when it, or a later one, was accepted before."""

    async def set_recovery_codes(self, subject_id: SubjectId, hashes: list[bytes]) -> None:
        """Keep these codes only."""

    async def use_recovery_code(self, subject_id: SubjectId, code_hash: bytes) -> bool:
        """Use a code up; ``False`` when there is no such unused one."""

    async def add_challenge(self, challenge: Challenge) -> None: ...

    async def try_challenge(self, token_hash: bytes) -> Challenge | None:
        """Count one try and return the challenge as it is now, or ``None`` when it is used up or unknown."""

    async def finish_challenge(self, challenge: Challenge) -> bool:
        """Use it up; ``False`` when somebody did before."""

    async def forget_expired(self, now: datetime) -> None:
        """Delete challenges that are over."""

    async def forget_challenges(self, subject_id: SubjectId) -> None: ...
