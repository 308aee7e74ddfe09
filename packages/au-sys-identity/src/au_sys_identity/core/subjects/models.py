"""Persons and their URNs."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

SubjectId = NewType("SubjectId", UUID)
SubjectUrn = NewType("SubjectUrn", str)
"""``urn:au:user:<uuid>`` and its siblings: the name under which other capabilities know a subject."""
SubjectKind = Literal["person", "app", "agent"]
"""Kinds of subject that can authenticate."""
Status = Literal["pending", "active", "disabled", "closed"]

_WORD: dict[SubjectKind, str] = {"person": "user", "app": "app", "agent": "agent"}


def subject_urn(kind: SubjectKind, subject_id: SubjectId) -> SubjectUrn:
    """``urn:au:user:<uuid>`` and its siblings."""
    return SubjectUrn(f"urn:au:{_WORD[kind]}:{subject_id}")


def person_id(text: str) -> SubjectId | None:
    """The id in a UUID or in the URN of a person; ``None`` for anything else."""
    bare = text.removeprefix("urn:au:user:")
    try:
        parsed = UUID(bare)
    except ValueError:
        return None
    return SubjectId(parsed) if str(parsed) == bare.lower() else None


def machine_id(text: str) -> SubjectId | None:
    """The id in a UUID or in the URN of a machine; ``None`` for anything else."""
    return person_id(text.removeprefix("urn:au:app:")) if not text.startswith("urn:au:user:") else None


@dataclass(frozen=True, slots=True)
class Person:
    """A human being with an account.

    ``epoch`` grows with every change that must end trust in older credentials; ``version`` with every change at all.
    """

    id: SubjectId
    email: str
    email_canonical: str
    display_name: str
    status: Status
    created_at: datetime
    updated_at: datetime
    status_reason: str | None = None
    epoch: int = 1
    version: int = 1
    email_verified_at: datetime | None = None
    locale: str | None = None
    timezone: str | None = None
    auth_source: str = "local"

    @property
    def urn(self) -> SubjectUrn:
        """The name under which other capabilities know this person."""
        return subject_urn("person", self.id)

    @property
    def active(self) -> bool:
        """Only the active act."""
        return self.status == "active"

    def distrusted(self, now: datetime, *, status: Status | None = None) -> "Person":
        """The same person, one epoch later: every older credential is dead."""
        return replace(
            self, epoch=self.epoch + 1, version=self.version + 1, updated_at=now, status=status or self.status
        )
