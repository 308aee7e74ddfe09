"""A wish for access, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from au_sys_identity.core.subjects.models import SubjectId

State = Literal["submitted", "provisioned", "denied", "withdrawn", "expired"]
"""``expired`` is never stored: it is what time makes of a provisioned one. Approving and provisioning are one step."""
Verdict = Literal["approve", "deny"]


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Somebody asks that a subject may hold a role in a domain, for a reason, perhaps for a time."""

    id: UUID
    requester_id: SubjectId
    requester: str
    subject: str
    role: str
    domain: str
    reason: str
    duration: timedelta | None
    created_at: datetime
    state: State = "submitted"
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str = ""
    grant_until: datetime | None = None

    def state_at(self, now: datetime) -> State:
        """What it is at a moment."""
        over = self.state == "provisioned" and self.grant_until is not None and now >= self.grant_until
        return "expired" if over else self.state

    def decided(
        self, verdict: Verdict, by: str, now: datetime, *, note: str, duration: timedelta | None
    ) -> "AccessRequest":
        """The same, given for a time or denied."""
        given = verdict == "approve"
        return replace(
            self,
            state="provisioned" if given else "denied",
            decided_by=by,
            decided_at=now,
            note=note,
            duration=duration,
            grant_until=now + duration if given and duration else None,
        )
