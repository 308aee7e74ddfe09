"""Access request wire shapes."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from au_sys_identity.core.workflow.models import AccessRequest


class RequestNew(BaseModel):
    """Access that is asked for; without a subject, for the caller. ``duration`` is in seconds."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = Field(None, max_length=80)
    role: str = Field(max_length=80)
    domain: str = Field("default", max_length=64)
    reason: str = Field(max_length=2000)
    duration: int | None = Field(None, ge=60, le=31_622_400)


class RequestDecision(BaseModel):
    """What whoever decides says; a duration of hers takes the place of the one asked for."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "deny"]
    note: str = Field("", max_length=2000)
    duration: int | None = Field(None, ge=60, le=31_622_400)


class RequestOut(BaseModel):
    """A request and what became of it."""

    id: UUID
    requester: str
    subject: str
    role: str
    domain: str
    reason: str
    duration: int | None
    state: str
    decided_by: str | None
    decided_at: datetime | None
    note: str
    grant_until: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, known: AccessRequest, now: datetime) -> Self:
        """The wire shape."""
        return cls(
            id=known.id,
            requester=known.requester,
            subject=known.subject,
            role=known.role,
            domain=known.domain,
            reason=known.reason,
            duration=int(known.duration.total_seconds()) if known.duration else None,
            state=known.state_at(now),
            decided_by=known.decided_by,
            decided_at=known.decided_at,
            note=known.note,
            grant_until=known.grant_until,
            created_at=known.created_at,
        )


class RequestsOut(BaseModel):
    """A page of requests, newest first."""

    items: list[RequestOut]
    next_cursor: str | None = None
