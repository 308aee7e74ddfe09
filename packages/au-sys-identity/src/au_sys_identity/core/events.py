"""Facts that others may react to, and that the audit trail keeps."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["success", "denied", "failed"]

EVENTS = (
    "subject.created",
    "subject.changed",
    "subject.disabled",
    "subject.enabled",
    "subject.closed",
    "password.changed",
    "session.started",
    "session.refused",
    "session.ended",
    "session.stolen",
    "custody.transferred",
    "machine.created",
    "machine.changed",
    "machine.disabled",
    "machine.enabled",
    "machine.closed",
    "role.created",
    "role.changed",
    "role.deleted",
    "role.granted",
    "role.withdrawn",
    "key.created",
    "key.revoked",
    "key.rotated",
    "factor.enrolled",
    "factor.removed",
    "factor.suspected",
    "login.linked",
    "login.unlinked",
    "setting.changed",
    "directory.synced",
)
"""Every action that identity writes to the audit trail."""

_TOLD = ("subject.", "machine.", "role.")
"""Kinds of fact that other capabilities may handle: who somebody is and may do, never how she signs in."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened: who did what to whom, and how it ended. It never holds a secret.

    A change that the trail does not take is not made. Sign-ins and sign-outs are told after the fact.
    """

    action: str
    actor: str
    resource: str
    outcome: Outcome = "success"
    reason: str = ""
    details: dict[str, str | int | bool | None] = field(default_factory=dict)

    @property
    def essential(self) -> bool:
        """Whether the change depends on the trail."""
        return not self.action.startswith("session.")

    @property
    def published(self) -> bool:
        """Whether other capabilities are told: what came true, about subjects and roles."""
        return self.outcome == "success" and self.action.startswith(_TOLD)
