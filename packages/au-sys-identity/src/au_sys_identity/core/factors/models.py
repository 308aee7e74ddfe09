"""TOTP secret, passkey, recovery code, challenge between two steps."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId

Method = Literal["passkey", "totp", "recovery_code"]
METHODS: tuple[Method, ...] = ("passkey", "totp", "recovery_code")
Purpose = Literal["register", "sign-in", "confirm"]
"""What a passkey challenge is for."""


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """The shared secret of an authenticator app, sealed; ``last_step`` is the newest accepted time step."""

    subject_id: SubjectId
    sealed: bytes = field(repr=False)
    confirmed_at: datetime | None = None
    last_step: int = 0


@dataclass(frozen=True, slots=True)
class Passkey:
    """A public key that an authenticator holds the other half of.

    ``backup_eligible`` never changes over its life; ``sign_count`` only grows.
    """

    id: UUID
    subject_id: SubjectId
    credential_id: bytes
    public_key: bytes = field(repr=False)
    name: str
    created_at: datetime
    sign_count: int = 0
    aaguid: str = ""
    transports: tuple[str, ...] = ()
    backup_eligible: bool = False
    backed_up: bool = False
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sign-in whose ``first`` step is done. It is good for one success, five tries and five minutes."""

    id: UUID
    subject_id: SubjectId
    token_hash: bytes = field(repr=False)
    expires_at: datetime
    attempts: int = 0
    first: str = "pwd"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What an account proves itself with. ``password`` stands for any first step that is as strong as one."""

    totp: bool = False
    recovery_codes_left: int = 0
    passkeys: int = 0
    password: bool = False

    @property
    def methods(self) -> tuple[Method, ...]:
        """What may be used as the second step."""
        if not (self.totp or self.passkeys):
            return ()
        usable = {"passkey": self.passkeys, "totp": self.totp, "recovery_code": self.recovery_codes_left}
        return tuple(method for method in METHODS if usable[method])


@dataclass(frozen=True, slots=True)
class Signature:
    """What a passkey signed, with all that is needed to check it without us."""

    credential_id: bytes
    public_key: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes
