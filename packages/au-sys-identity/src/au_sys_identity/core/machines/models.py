"""Service accounts, AI agents, and the providers that agents name."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from au_sys_identity.core.organizations.models import DEFAULT_ORGANIZATION, DEFAULT_SLUG
from au_sys_identity.core.subjects.models import ActingKind, Person, Status, SubjectId, SubjectUrn, subject_urn

MfaMode = Literal["none", "mtls_bound", "tool_assisted_totp", "human_delegated"]
AppliesTo = Literal["always", "changes", "irreversible"]
Cap = Literal["none", "custodian"]
"""Whether a machine is held to what its custodian holds now."""


@dataclass(frozen=True, slots=True)
class MachineMfa:
    """What a machine proves itself with beside its key, and for which requests."""

    mode: MfaMode = "none"
    applies_to: AppliesTo = "irreversible"
    certificates: tuple[str, ...] = ()

    def asked(self, method: str, reversibility: str) -> bool:
        """Whether a request needs the proof."""
        if self.mode == "none":
            return False
        if self.applies_to == "irreversible":
            return reversibility == "irreversible"
        return self.applies_to == "always" or method.upper() not in ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Machine:
    """A program with rights of its own. It acts only while a living person answers for it.

    ``epoch`` grows with every change that must end trust in older credentials; ``version`` with every change at all.
    """

    id: SubjectId
    kind: ActingKind
    name: str
    purpose: str
    status: Status
    created_at: datetime
    updated_at: datetime
    status_reason: str | None = None
    epoch: int = 1
    version: int = 1
    mfa: MachineMfa = MachineMfa()
    cap: Cap = "none"
    organization_id: UUID = DEFAULT_ORGANIZATION
    provider: SubjectId | None = None
    model_names: tuple[str, ...] = ()
    provenance: str = ""
    hosting: str = ""
    stopped_with: SubjectId | None = None

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
            stopped_with=None,
        )


@dataclass(frozen=True, slots=True)
class Provider:
    """The vendor or host that agents name. It never signs in; while it is not active, its agents are refused."""

    id: SubjectId
    name: str
    vendor: str
    created_at: datetime
    updated_at: datetime
    models: tuple[str, ...] = ()
    region: str = ""
    homepage: str = ""
    status: Status = "active"
    status_reason: str | None = None
    epoch: int = 1
    version: int = 1

    @property
    def urn(self) -> SubjectUrn:
        """The name under which edges know this provider."""
        return subject_urn("provider", self.id)


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """A machine and its custodians; only the active ones keep it alive."""

    machine: Machine
    custodians: tuple[Person, ...]
    organization: str = DEFAULT_SLUG
    parent: SubjectUrn | None = None

    @property
    def living(self) -> bool:
        """Whether somebody who is active answers for it."""
        return any(person.active for person in self.custodians)

    def answered_by(self, subject: SubjectId) -> bool:
        """Whether a person is one of its living custodians."""
        return any(person.id == subject and person.active for person in self.custodians)
