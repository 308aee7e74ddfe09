"""Stores of factors, and the ceremony of passkeys; everything single-use is settled by a swap."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from au_sys_identity.core.factors.models import Challenge, Enrolled, Passkey, TotpSecret
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

    async def challenge(self, token_hash: bytes) -> Challenge | None:
        """The challenge as it is; no try is counted."""

    async def finish_challenge(self, challenge: Challenge) -> bool:
        """Use it up; ``False`` when somebody did before."""

    async def forget_expired(self, now: datetime) -> None:
        """Delete challenges that are over."""

    async def forget_challenges(self, subject_id: SubjectId) -> None: ...


class PasskeyStore(Protocol):
    """Passkeys; a credential id belongs to one account."""

    async def add(self, passkey: Passkey) -> None:
        """Keep a new one.

        Raises:
            Conflict: the credential id is known, whosever it is.
        """

    async def of_subject(self, subject_id: SubjectId) -> list[Passkey]:
        """Oldest first."""

    async def by_credential(self, credential_id: bytes) -> Passkey | None: ...

    async def rename(self, subject_id: SubjectId, passkey_id: UUID, name: str) -> bool: ...

    async def remove(self, subject_id: SubjectId, passkey_id: UUID) -> bool: ...

    async def remove_all(self, subject_id: SubjectId) -> int: ...

    async def used(self, passkey: Passkey, *, sign_count: int, backed_up: bool, at: datetime) -> bool:
        """Note a use; ``False`` when the counter is not the one that was read."""


class UsedValues(Protocol):
    """Values that count once: whoever claims one first has it."""

    async def claim(self, kind: str, value_hash: bytes, *, until: datetime) -> bool:
        """``False`` when it was claimed before."""

    async def forget_expired(self, now: datetime) -> None: ...


class BadPasskey(Exception):
    """What an authenticator sent cannot be used; the reason is for the event, not for the answer."""


@dataclass(frozen=True, slots=True)
class Attested:
    """A new credential, as its authenticator described it."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    backup_eligible: bool
    backed_up: bool


@dataclass(frozen=True, slots=True)
class Asserted:
    """A signature that fits; whether its counter and flags are plausible is not judged yet."""

    sign_count: int
    backup_eligible: bool
    backed_up: bool
    authenticator_data: bytes = field(default=b"", repr=False)
    client_data: bytes = field(default=b"", repr=False)
    signature: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """What an answer claims to be, before anything is verified."""

    challenge: bytes
    credential_id: bytes
    user_handle: bytes | None


class PasskeyCeremony(Protocol):
    """WebAuthn for one relying party. Options and answers are the JSON forms of the standard.

    Raises (all but the options):
        BadPasskey: with the reason.
    """

    def creation_options(  # Any: JSON
        self, *, user_id: bytes, name: str, display_name: str, challenge: bytes, exclude: list[Passkey]
    ) -> dict[str, Any]: ...

    def request_options(  # Any: JSON
        self, *, challenge: bytes, allow: list[tuple[bytes, tuple[str, ...]]]
    ) -> dict[str, Any]: ...

    def presented(self, answer: str) -> Presented: ...

    def attested(self, answer: str, *, challenge: bytes) -> Attested: ...

    def asserted(self, answer: str, *, challenge: bytes, public_key: bytes) -> Asserted: ...
