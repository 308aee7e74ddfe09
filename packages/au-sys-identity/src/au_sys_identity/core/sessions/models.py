"""Session, client, assurance level."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId

SessionId = NewType("SessionId", UUID)
SessionKind = Literal["token", "web"]
Strength = Literal["mail", "password", "multi", "phishing_resistant"]
"""How surely a sign-in proved the subject, weakest first."""
STRENGTHS: tuple[Strength, ...] = ("mail", "password", "multi", "phishing_resistant")
ACR: dict[Strength, str] = {"mail": "mail", "password": "pwd", "multi": "mfa", "phishing_resistant": "phr"}


def at_least(strength: Strength, wanted: Strength) -> bool:
    """Whether a sign-in was at least as sure as wanted."""
    return STRENGTHS.index(strength) >= STRENGTHS.index(wanted)


def stronger(one: Strength, other: Strength) -> Strength:
    """The stronger of two."""
    return one if at_least(one, other) else other


@dataclass(frozen=True, slots=True)
class Client:
    """What a request tells about the program behind it. ``network`` is the /24 or /64 of its address.

    ``flow`` is the cookie that ties the steps of one sign-in together.
    """

    address: str | None = None
    network: str = "unknown"
    user_agent: str = ""
    label: str = ""
    instance: str | None = field(default=None, repr=False)
    device_token: str | None = field(default=None, repr=False)
    flow: str | None = field(default=None, repr=False)

    def with_device(self, token: str) -> "Client":
        """The same client, which is to be known by this from now on unless it is known by another already."""
        return self if self.device_token else replace(self, device_token=token)


@dataclass(frozen=True, slots=True)
class Session:
    """What follows a sign-in until it ends. Secrets are kept as SHA-256 only.

    ``binding_hash`` ties refreshes to the client that signed in; ``strong_binding``: by more than its name.
    """

    id: SessionId
    subject_id: SubjectId
    kind: SessionKind
    strength: Strength
    methods: tuple[str, ...]
    epoch: int
    auth_time: datetime
    created_at: datetime
    last_seen_at: datetime
    idle_until: datetime
    expires_at: datetime
    label: str = ""
    user_agent: str = ""
    address: str | None = None
    secret_hash: bytes | None = field(default=None, repr=False)
    binding_hash: bytes | None = field(default=None, repr=False)
    strong_binding: bool = False
    ended_at: datetime | None = None
    end_reason: str | None = None

    def lives(self, now: datetime) -> bool:
        """Whether it has neither been ended nor run out."""
        return self.ended_at is None and now < self.idle_until and now < self.expires_at


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One generation of a session's refresh token. The head of the family has no ``replaced_at``."""

    session_id: SessionId
    generation: int
    token_hash: bytes = field(repr=False)
    created_at: datetime
    replaced_at: datetime | None = None


@dataclass(slots=True)
class SessionTimes:
    """How long things last. Changed in place when an administrator changes a setting."""

    idle: timedelta = timedelta(days=7)
    absolute: timedelta = timedelta(days=30)
    refresh_grace: timedelta = timedelta(seconds=10)
    step_up: timedelta = timedelta(seconds=300)
