"""Edges: who owns whom, who belongs to what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from au_sys_identity.core.subjects.models import SubjectId

Relation = Literal["owner_of"]


@dataclass(frozen=True, slots=True)
class Edge:
    """One relation from a subject to another, until it ends."""

    source: SubjectId
    relation: Relation
    target: SubjectId
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it has not run out."""
        return self.expires_at is None or now < self.expires_at
