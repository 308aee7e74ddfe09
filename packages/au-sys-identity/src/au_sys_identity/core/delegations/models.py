"""A grant: an agent may do some things for a person, until it ends."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from au_sys_identity.core.access.models import EVERYWHERE, covers
from au_sys_identity.core.subjects.models import SubjectId, SubjectUrn, subject_urn


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a person lets an agent do for her. It is never passed on. Without ``resources`` every object counts."""

    id: UUID
    human_id: SubjectId
    agent_id: SubjectId
    agent: SubjectUrn
    domain: str
    permissions: frozenset[str]
    created_at: datetime
    expires_at: datetime
    resources: frozenset[str] = frozenset()
    max_uses: int | None = None
    uses: int = 0
    revoked_at: datetime | None = None

    @property
    def human(self) -> SubjectUrn:
        """Whom the agent acts for."""
        return subject_urn("person", self.human_id)

    def lives(self, now: datetime) -> bool:
        """Whether it is neither revoked, over nor used up."""
        left = self.max_uses is None or self.uses <= self.max_uses
        return self.revoked_at is None and now < self.expires_at and left

    def allows(self, permission: str, domain: str, resource: str) -> bool:
        """Whether the grant names a right, for an object (``resource`` is empty when no object is meant)."""
        if self.domain not in (domain, EVERYWHERE):
            return False
        if not any(covers(pattern, permission) for pattern in self.permissions):
            return False
        return not self.resources or (bool(resource) and any(_names(known, resource) for known in self.resources))


def _names(pattern: str, resource: str) -> bool:
    """Whether a pattern is this object, or ends in ``*`` and begins like it."""
    return pattern in ("*", resource) or (pattern.endswith("*") and resource.startswith(pattern[:-1]))
