"""The audit trail: who did what to which thing, with which outcome. A port, and how the platform finds its sink."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.observability.logger_factory import get_logger

T = TypeVar("T")
Outcome = Literal["success", "denied", "failed"]

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One fact for the trail.

    ``action`` is a verb in the past (``role.granted``), ``actor`` the URN of who did it, ``resource`` what it was done
    to. ``before`` and ``after`` are digests of its state, never the state itself. ``essential``: the operation fails
    when the event cannot be kept.
    """

    action: str
    actor: str
    resource: str = ""
    outcome: Outcome = "success"
    reason: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    before: str | None = None
    after: str | None = None
    essential: bool = True


class AuditTrail(Protocol):
    """Keeps events. It returns when the event is durable."""

    async def record(self, event: AuditEvent) -> None: ...


class DefaultAuditTrail(AuditTrail, Protocol):
    """The platform's own sink, used while no capability provides an ``AuditTrail``."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An entry as it is read back; ``details`` and digests of the state are in ``body``."""

    sequence: int
    at: datetime
    action: str
    actor: str
    resource: str
    outcome: str
    correlation_id: str
    reason: str
    details: dict[str, object]
    digest: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """Whether the trail is unbroken; else ``first_wrong`` is the number of the entry where it breaks."""

    checked: int
    first_wrong: int | None = None
    reason: str = ""

    @property
    def unbroken(self) -> bool:
        """True when every entry follows from the one before it and the last one is the head."""
        return self.first_wrong is None


@runtime_checkable
class ReadableTrail(AuditTrail, Protocol):
    """A trail that can be read and checked: what the hub shows, whoever keeps it."""

    async def tail(
        self, *, before: int | None = None, limit: int = 50, actor: str = "", action: str = ""
    ) -> Sequence[KeptEvent]: ...

    async def verify(self) -> ChainVerdict: ...


class AuditFailed(PlatformError):
    """An essential event could not be kept, so what it tells of was not done."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__(
            f"The audit trail did not take {action!r}, so the operation was refused.",
            "see the log for the cause and repeat the operation.",
        )


class Services(Protocol):
    """The part of the container that is needed to find the sink."""

    def __contains__(self, interface: object) -> bool: ...

    async def get(self, interface: Any) -> Any: ...  # Any: the container's own generic signature, seen from below it


class ResolvedAuditTrail:
    """Finds the sink at the first event: a capability's, else the platform's own."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, event: AuditEvent) -> None:
        """Keep an event.

        Raises:
            AuditFailed: it is essential and could not be kept.
        """
        try:
            await (await self._sink()).record(event)
        except Exception as error:
            _log.error("audit.failed", action=event.action, actor=event.actor, resource=event.resource, exc_info=error)
            if event.essential:
                raise AuditFailed(event.action) from error

    async def _sink(self) -> AuditTrail:
        interface = AuditTrail if AuditTrail in self._services else DefaultAuditTrail
        sink: AuditTrail = await self._services.get(interface)
        return sink


def audit_trail(services: Services) -> AuditTrail:
    """The trail that the platform hands to capabilities."""
    return ResolvedAuditTrail(services)
