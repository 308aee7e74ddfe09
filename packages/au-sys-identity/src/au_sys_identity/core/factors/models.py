"""TOTP secret, recovery code, challenge between two steps."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId

Method = Literal["totp", "recovery_code"]
METHODS: tuple[Method, ...] = ("totp", "recovery_code")


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """The shared secret of an authenticator app, sealed; ``last_step`` is the newest accepted time step."""

    subject_id: SubjectId
    sealed: bytes = field(repr=False)
    confirmed_at: datetime | None = None
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sign-in whose first step is done. It is good for one success, five tries and five minutes."""

    id: UUID
    subject_id: SubjectId
    token_hash: bytes = field(repr=False)
    expires_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Which second factors an account has."""

    totp: bool = False
    recovery_codes_left: int = 0

    @property
    def methods(self) -> tuple[Method, ...]:
        """What may be used as the second step."""
        if not self.totp:
            return ()
        return METHODS if self.recovery_codes_left else ("totp",)
