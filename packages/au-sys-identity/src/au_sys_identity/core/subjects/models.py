"""Persons, and the URNs of all kinds of subject."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, NewType
from uuid import UUID

SubjectId = NewType("SubjectId", UUID)
SubjectUrn = NewType("SubjectUrn", str)
"""``urn:au:user:<uuid>`` and its siblings: the name under which other capabilities know a subject."""
SubjectKind = Literal["person", "app", "agent", "provider", "group"]
"""Kinds of subject; providers and groups never sign in."""
ActingKind = Literal["person", "app", "agent"]
"""Kinds of subject that can authenticate."""
Status = Literal["pending", "active", "disabled", "closed"]

_WORD: dict[SubjectKind, str] = {
    "person": "user",
    "app": "app",
    "agent": "agent",
    "provider": "provider",
    "group": "group",
}
_KIND: dict[str, SubjectKind] = {word: kind for kind, word in _WORD.items()}
MACHINES: frozenset[SubjectKind] = frozenset({"app", "agent"})


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


def machine_id(text: str, kind: SubjectKind = "app") -> SubjectId | None:
    """The id in a UUID or in the URN of a machine of that kind; ``None`` for anything else."""
    return subject_id(text, kind)


def subject_id(text: str, *kinds: SubjectKind) -> SubjectId | None:
    """The id in a UUID, or in a URN of one of the kinds (of any kind, when none is named); ``None`` for the rest."""
    if not text.startswith("urn:"):
        return person_id(text)
    found = parsed_urn(text)
    return found[1] if found and (not kinds or found[0] in kinds) else None


def parsed_urn(text: str) -> tuple[SubjectKind, SubjectId] | None:
    """Kind and id in the URN of a subject of any kind; ``None`` for anything else."""
    word, _, bare = text.removeprefix("urn:au:").partition(":")
    kind = _KIND.get(word)
    found = person_id(bare) if kind and text.startswith("urn:au:") and not bare.startswith("urn:") else None
    return (kind, found) if kind and found else None


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


@dataclass(frozen=True, slots=True)
class Named:
    """A subject of any kind, as lists and pictures show it."""

    id: SubjectId
    kind: SubjectKind
    name: str
    status: Status
    organization_id: UUID | None = None

    @property
    def urn(self) -> SubjectUrn:
        """The name under which other capabilities know it."""
        return subject_urn(self.kind, self.id)

    @property
    def active(self) -> bool:
        """Only the active act."""
        return self.status == "active"
