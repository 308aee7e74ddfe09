"""What is stored about a password, and about guessing."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId


@dataclass(frozen=True, slots=True)
class PasswordRecord:
    """The hash of a password.

    ``must_change`` limits every session to changing it; ``usable_until`` ends a one-time password by itself.
    """

    subject_id: SubjectId
    hash: str = field(repr=False)
    changed_at: datetime
    must_change: bool = False
    usable_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures counted in a window, and until when the next try has to wait."""

    failures: int
    window_start: datetime
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that once signed in to an account, known by the hash of its cookie."""

    subject_id: SubjectId
    token_hash: bytes = field(repr=False)
    label: str
    last_seen_at: datetime

    @property
    def id(self) -> UUID:
        """What its owner names it by: half of the hash, from which the cookie cannot be computed."""
        return UUID(bytes=self.token_hash[:16])
