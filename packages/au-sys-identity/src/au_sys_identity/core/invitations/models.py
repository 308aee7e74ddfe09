"""Invitation."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

InvitationState = Literal["open", "accepted", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody's address, asked into an organization. The link's secret is made when the letter is sent, and kept as
    SHA-256 only.
    """

    id: UUID
    organization_id: UUID
    email: str
    email_canonical: str
    role: str | None
    invited_by: str
    created_at: datetime
    expires_at: datetime
    token_hash: bytes | None = field(default=None, repr=False)
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> InvitationState:
        """What became of it."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "open" if now < self.expires_at else "expired"
