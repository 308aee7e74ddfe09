"""AuditTrail port: who did what to what, with which outcome."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from fastapi_services_platform.container.registry import Registry
from fastapi_services_platform.observability.logger_factory import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act."""

    action: str
    actor: str
    resource: str = ""
    outcome: Literal["success", "denied", "failed"] = "success"
    reason: str = ""
    details: dict[str, object] = field(default_factory=dict)


class AuditTrail(Protocol):
    """Keeps audit events."""

    async def record(self, event: AuditEvent) -> None: ...


class _Forwarding:
    """Records through the trail that a capability provides, else into the log."""

    def __init__(self, container: Registry) -> None:
        self._container = container

    async def record(self, event: AuditEvent) -> None:
        if AuditTrail in self._container:
            trail = await self._container.get(AuditTrail)
            await trail.record(event)
            return
        _log.info("audit", action=event.action, actor=event.actor, resource=event.resource, outcome=event.outcome)


def audit_trail(container: Registry) -> AuditTrail:
    """The platform's trail."""
    return _Forwarding(container)
