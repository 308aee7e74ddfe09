"""Facts that others may react to, and that the audit trail keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["success", "denied", "failed"]

EVENTS = (
    "subject.created",
    "subject.changed",
    "subject.disabled",
    "subject.enabled",
    "subject.closed",
    "account.unlocked",
    "password.changed",
    "session.started",
    "session.refused",
    "session.ended",
    "session.stolen",
    "custody.lost",
    "custody.transferred",
    "edge.linked",
    "edge.unlinked",
    "group.created",
    "group.changed",
    "group.closed",
    "provider.created",
    "provider.changed",
    "provider.closed",
    "organization.created",
    "organization.changed",
    "organization.removed",
    "organization.joined",
    "organization.left",
    "graph.repaired",
    "machine.created",
    "machine.changed",
    "machine.disabled",
    "machine.enabled",
    "machine.closed",
    "policy.added",
    "policy.removed",
    "policy.changed",
    "policy.imported",
    "access.asked",
    "access.denied",
    "role.created",
    "role.changed",
    "role.deleted",
    "role.granted",
    "role.withdrawn",
    "approval.asked",
    "approval.decided",
    "approval.used",
    "approval.refused",
    "approval.withdrawn",
    "certificate.ignored",
    "delegation.granted",
    "delegation.revoked",
    "request.submitted",
    "request.decided",
    "request.withdrawn",
    "key.created",
    "key.revoked",
    "key.rotated",
    "factor.enrolled",
    "factor.removed",
    "factor.suspected",
    "invitation.sent",
    "invitation.revoked",
    "invitation.accepted",
    "login.linked",
    "login.unlinked",
    "setting.changed",
    "directory.synced",
    "subject.erased",
    "subject.restored",
    "role.restored",
    "setting.restored",
    "machine.restored",
    "organization.restored",
    "group.restored",
    "backup.made",
    "backup.verified",
    "backup.removed",
    "backup.restored",
    "audit.dropped",
    "audit.read",
    "audit.verified",
    "audit.exported",
)
"""Every action that identity writes to the audit trail."""

_TOLD = ("subject.", "machine.", "role.", "custody.", "approval.asked", "approval.decided")
"""Kinds of fact that other capabilities may handle: who somebody is and may do, never how she signs in."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened: who did what to whom, and how it ended. It never holds a secret.

    It is written in the transaction of the change: no event, no change.
    """

    action: str
    actor: str
    resource: str
    outcome: Outcome = "success"
    reason: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    on_behalf_of: str | None = None
    custodian: str | None = None
    organization: str = "default"

    @property
    def published(self) -> bool:
        """Whether other capabilities are told: what came true, about subjects and roles."""
        return self.outcome == "success" and self.action.startswith(_TOLD)
