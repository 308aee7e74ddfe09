"""Groups."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.subjects.models import Status, SubjectId, SubjectUrn, subject_urn


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects that stand together. ``source`` is ``local``, or the directory that fills it."""

    id: SubjectId
    name: str
    description: str
    organization_id: UUID
    created_at: datetime
    updated_at: datetime
    status: Status = "active"
    source: str = "local"
    external_id: str | None = None
    version: int = 1

    @property
    def urn(self) -> SubjectUrn:
        """The name under which rules know this group."""
        return subject_urn("group", self.id)
