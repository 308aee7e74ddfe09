"""How far every handler is behind, and dead letters: read, retry, discard. Every change is audited."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi_services_platform.engine.platform import Platform
from fastapi_services_platform.errors import PlatformError
from fastapi_services_platform.events.backlog import DeadLetter
from fastapi_services_platform.observability.audit import AuditEvent

if TYPE_CHECKING:  # it loads SQLAlchemy, which a platform without publishers never needs
    from fastapi_services_platform.events.deliveries import Deliveries

RETRIED = "platform.event_retried"
DISCARDED = "platform.event_discarded"


class UnknownDeadLetter(PlatformError):
    """Nothing was put aside under this number for this handler; perhaps somebody was faster."""

    def __init__(self, publisher: str, handler: str, sequence: int) -> None:
        super().__init__(
            f"dead letter: {handler} has none with the number {sequence} of {publisher}.", "read the list again."
        )


@dataclass(frozen=True, slots=True)
class HandlerView:
    """A handler of one publisher's events; ``missing``: no capability that is loaded contributes it any more."""

    publisher: str
    handler: str
    event: str
    waiting: int
    lag_seconds: float
    dead: int
    missing: bool


class EventDesk:
    """The events of every publisher that runs."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def handlers(self) -> list[HandlerView]:
        """Every handler with what it has still to see."""
        known = self._platform.events.named_handlers()
        return [
            HandlerView(
                publisher=publisher,
                handler=backlog.handler,
                event=known[backlog.handler].event if backlog.handler in known else "",
                waiting=backlog.waiting,
                lag_seconds=backlog.lag,
                dead=backlog.dead,
                missing=backlog.handler not in known,
            )
            for publisher, deliverer in sorted(self._platform.events.deliverers.items())
            for backlog in await deliverer.rows.backlogs()
        ]

    async def dead_letters(self, limit: int) -> list[DeadLetter]:
        """What was put aside, newest first by publisher."""
        found: list[DeadLetter] = []
        for _, deliverer in sorted(self._platform.events.deliverers.items()):
            found += await deliverer.rows.dead_letters(limit - len(found))
            if len(found) >= limit:
                break
        return found

    async def retry(self, publisher: str, handler: str, sequence: int, *, by: str, reason: str = "") -> None:
        """Try a dead letter anew; it comes after what its handler saw in the meantime.

        Raises:
            UnknownDeadLetter: there is no such dead letter.
        """
        rows = await self._known(publisher, handler, sequence)
        await self._tell(RETRIED, publisher, handler, sequence, by, reason)
        if not await rows.revive(handler, sequence):
            raise UnknownDeadLetter(publisher, handler, sequence)

    async def discard(self, publisher: str, handler: str, sequence: int, *, by: str, reason: str = "") -> None:
        """Delete a dead letter: its handler will never see the event.

        Raises:
            UnknownDeadLetter: there is no such dead letter.
        """
        rows = await self._known(publisher, handler, sequence)
        await self._tell(DISCARDED, publisher, handler, sequence, by, reason)
        if not await rows.discard(handler, sequence):
            raise UnknownDeadLetter(publisher, handler, sequence)

    async def _known(self, publisher: str, handler: str, sequence: int) -> "Deliveries":
        deliverer = self._platform.events.deliverers.get(publisher)
        if deliverer is None or not await deliverer.rows.is_dead(handler, sequence):
            raise UnknownDeadLetter(publisher, handler, sequence)
        return deliverer.rows

    async def _tell(self, action: str, publisher: str, handler: str, sequence: int, by: str, reason: str) -> None:
        resource = f"event:{publisher}/{sequence}"
        details = {"handler": handler}
        await self._platform.audit.record(AuditEvent(action, by, resource, reason=reason, details=details))
