"""Notice and invitation wire shapes."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.invitations.models import Invitation
from au_sys_identity.core.notices.telling import Told


class NoticeOut(BaseModel):
    """What a person is told; ``href`` is a path of the platform, or empty."""

    id: UUID
    capability: str
    title: str
    text: str
    href: str
    at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, told: Told) -> Self:
        """The wire shape."""
        return cls(**{name: getattr(told, name) for name in cls.model_fields})


class NoticesOut(BaseModel):
    """A page of notices, newest first."""

    items: list[NoticeOut]
    next_cursor: str | None = None
    unread: int


class InvitationNew(BaseModel):
    """Whom to invite, and to what."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=1024)
    role: str | None = Field(None, max_length=80)


class InvitationOut(BaseModel):
    """An invitation; its link is in the mail only."""

    id: UUID
    email: str
    role: str | None
    state: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation, now: datetime) -> Self:
        """The wire shape."""
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            state=invitation.state(now),
            invited_by=invitation.invited_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class InvitationsOut(BaseModel):
    """A page of invitations, newest first."""

    items: list[InvitationOut]
    next_cursor: str | None = None


class AcceptBody(BaseModel):
    """The secret of an invitation's link."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=200, repr=False)
