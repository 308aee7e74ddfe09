"""What an administrator changes over HTTP is noted in the audit trail; what users and programs change of their own
is not: that is what storage is for, and the change feed tells it.

An administrator is who holds the right to move storage to another backend, whatever else she may do.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from au_sys_storage_sdk.core.documents.operations import Check, Delete, Emit, Operation, Outcome, Put
from fastapi_services_platform import AuditEvent, AuditTrail, Authorizer, Principal

ADMINISTRATION = "storage.backends.switch"
API_EVENTS = ("document.emitted", "documents.changed")
_NAMED = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done; ``after`` is the digest of what is there now."""

    action: str
    resource: str
    after: str | None = None


class Changes:
    """What one request of an administrator has changed."""

    def __init__(self, audit: AuditTrail, who: Principal) -> None:
        self._audit = audit
        self._who = who
        self._found: list[Change] = []

    def add(self, change: Change) -> None:
        """One more."""
        self._found.append(change)

    def committed(self, operations: Sequence[Operation], outcomes: Sequence[Outcome]) -> None:
        """The steps of a commit that was done."""
        for operation, outcome in zip(operations, outcomes, strict=True):
            if isinstance(operation, Check) or (isinstance(operation, Delete) and outcome.version is None):
                continue
            resource = f"storage/{operation.space.namespace}/{operation.key}"
            self.add(Change(_action(operation, outcome), resource, _digest(operation)))

    async def note(self) -> None:
        """Put it into the trail, as one event however much it is."""
        found, self._found = self._found, []
        if not found:
            return
        details: dict[str, object] = {"via": "api"}
        if len(found) == 1:
            (one,) = found
            event = AuditEvent(one.action, self._who.urn, one.resource, details=details, after=one.after)
        else:
            details |= {"count": len(found), "changed": [f"{one.action} {one.resource}" for one in found[:_NAMED]]}
            event = AuditEvent("documents.changed", self._who.urn, "storage", details=details)
        await self._audit.record(event)


class ChangeAudit:
    """Tells for whom changes are noted. One for the whole app."""

    def __init__(self, audit: AuditTrail, authorizer: Authorizer) -> None:
        self._audit = audit
        self._authorizer = authorizer

    async def of(self, who: Principal) -> Changes | None:
        """Where to note what somebody changes; ``None`` for everybody but administrators."""
        decision = await self._authorizer.authorize(who, ADMINISTRATION)
        return Changes(self._audit, who) if decision.allowed else None


def _action(operation: Operation, outcome: Outcome) -> str:
    if isinstance(operation, Delete):
        return "document.deleted"
    if isinstance(operation, Emit):
        return "document.emitted"
    return "document.created" if outcome.created else "document.changed"


def _digest(operation: Operation) -> str | None:
    if isinstance(operation, Put) and isinstance(operation.value, bytes):
        return hashlib.sha256(operation.value).hexdigest()
    return None
