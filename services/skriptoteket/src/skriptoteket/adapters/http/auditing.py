"""Governance acts go to the platform's audit trail: who did what to which tool or version."""

from fastapi_services_platform import AuditEvent, AuditTrail, Principal


class Ledger:
    """Writes the library's events. Lives as long as the app."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    async def record(
        self, principal: Principal, action: str, resource: object, reason: str = "", **details: object
    ) -> None:
        """One fact; it is durable when this returns."""
        event = AuditEvent(f"skriptoteket.{action}", principal.urn, str(resource), reason=reason, details=details)
        await self._trail.record(event)


AUDIT_EVENTS = tuple(
    f"skriptoteket.{action}"
    for action in (
        "version.submitted",
        "version.withdrawn",
        "version.changes_requested",
        "version.published",
        "version.rolled_back",
        "draft.taken_over",
        "tool.created",
        "tool.edited",
        "tool.shown",
        "tool.hidden",
        "maintainer.added",
        "maintainer.removed",
        "owner.changed",
        "suggestion.decided",
        "nomination.filed",
        "nomination.decided",
        "nomination.withdrawn",
        "admin.revoked",
        "taxonomy.changed",
        "run.opened",
        "run.shared",
        "run.unshared",
        "run.removed",
        "run.cancelled",
        "worker.drained",
        "worker.started",
        "run.refused",
        "retention.changed",
        "environment.approved",
        "environment.withdrawn",
    )
)
