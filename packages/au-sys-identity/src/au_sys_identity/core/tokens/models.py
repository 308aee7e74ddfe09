"""Access tokens and signing keys."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.sessions.models import SessionId
from au_sys_identity.core.subjects.models import SubjectId, SubjectUrn

KeyState = Literal["next", "active", "retiring"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair for access tokens; the private half is sealed before it is stored."""

    kid: str
    algorithm: str
    public_jwk: str
    private_sealed: bytes = field(repr=False)
    state: KeyState
    active_from: datetime
    retire_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A long-lived credential of a program; only the SHA-256 of the whole key is kept."""

    id: UUID
    public_id: str
    secret_hash: bytes = field(repr=False)
    owner_id: SubjectId
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    created_by: str = ""
    overlap_until: datetime | None = None
    superseded_by: UUID | None = None

    def usable(self, now: datetime) -> bool:
        """Whether it has neither been revoked, run out, nor been outlived by its successor."""
        ends = self.expires_at if self.overlap_until is None else min(self.expires_at, self.overlap_until)
        return self.revoked_at is None and now < ends


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says; the signature has been verified, the state of session and subject has not.

    A token for an agent that acts for somebody names the agent's key, and the grant in place of a session.
    """

    subject: SubjectUrn
    session_id: SessionId
    epoch: int
    expires_at: datetime
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a program gets after a sign-in. Both values are secrets."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BadAccessToken:
    """Why a token is no good: it may be refreshed when it is merely ``expired``."""

    expired: bool = False
