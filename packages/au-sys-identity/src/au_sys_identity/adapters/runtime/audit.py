"""AuditLog on the platform's audit trail."""

from au_sys_identity.core.events import Fact
from fastapi_services_platform import AuditEvent, AuditTrail


class PlatformAudit:
    """Hands facts on."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    async def append(self, fact: Fact) -> None:
        """See :class:`~au_sys_identity.core.ports.AuditLog`."""
        await self._trail.record(
            AuditEvent(
                action=fact.action,
                actor=fact.actor,
                resource=fact.resource,
                outcome=fact.outcome,
                reason=fact.reason,
                details=dict(fact.details),
                essential=fact.essential,
            )
        )
