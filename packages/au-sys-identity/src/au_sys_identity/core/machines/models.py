"""Service accounts."""

from dataclasses import dataclass, replace
from datetime import datetime

from au_sys_identity.core.subjects.models import Person, Status, SubjectId, SubjectKind, SubjectUrn, subject_urn


@dataclass(frozen=True, slots=True)
class Machine:
    """A program with rights of its own. It acts only while a living person answers for it.

    ``epoch`` grows with every change that must end trust in older credentials; ``version`` with every change at all.
    """

    id: SubjectId
    kind: SubjectKind
    name: str
    purpose: str
    status: Status
    created_at: datetime
    updated_at: datetime
    status_reason: str | None = None
    epoch: int = 1
    version: int = 1

    @property
    def urn(self) -> SubjectUrn:
        """The name under which other capabilities know this machine."""
        return subject_urn(self.kind, self.id)

    @property
    def active(self) -> bool:
        """Only the active act."""
        return self.status == "active"

    def turned(self, status: Status, now: datetime, *, reason: str | None = None) -> "Machine":
        """The same machine in another state, one epoch later."""
        return replace(
            self,
            status=status,
            status_reason=reason,
            epoch=self.epoch + 1,
            version=self.version + 1,
            updated_at=now,
        )


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """A machine and its custodians; only the active ones keep it alive."""

    machine: Machine
    custodians: tuple[Person, ...]

    @property
    def living(self) -> bool:
        """Whether somebody who is active answers for it."""
        return any(person.active for person in self.custodians)

    def answered_by(self, subject: SubjectId) -> bool:
        """Whether a person is one of its living custodians."""
        return any(person.id == subject and person.active for person in self.custodians)
