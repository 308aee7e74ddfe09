"""Deliver what was published to the handlers of every capability, on whichever node holds a delivery first."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

from fastapi_services_platform.capability.events import EventHandler, ReceivedEvent
from fastapi_services_platform.events.backlog import Backlog, Held
from fastapi_services_platform.observability.logger_factory import get_logger, log_fields
from fastapi_services_platform.persistence.databases import Database

_log = get_logger(__name__)

LOOK_SECONDS = 1.0
"""How often a node looks for what other nodes published; what its own process published it delivers at once."""
_HANDLER_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
_COUNT_SECONDS = 5.0
_FORGET_SECONDS = 3600.0

Handlers = Callable[[], Iterable[tuple[str, EventHandler]]]


class EventRelay:
    """One deliverer for each database that is published in. ``handlers`` is asked anew at every look."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._deliverers: dict[str, Deliverer] = {}

    def start(self, databases: Iterable[Database]) -> None:
        """Deliver what is published in these databases; one that is served already goes on."""
        for database in databases:
            if database.name not in self._deliverers:
                self._deliverers[database.name] = Deliverer(database, self.named_handlers)
                self._deliverers[database.name].start()

    async def stop(self) -> None:
        """End the handlers under way and hand their deliveries back."""
        await asyncio.gather(*(deliverer.stop() for deliverer in self._deliverers.values()))
        self._deliverers.clear()

    def named_handlers(self) -> dict[str, EventHandler]:
        """Handlers by ``<capability>.<handler>``."""
        return {f"{owner}.{handler.name}": handler for owner, handler in self._handlers()}

    @property
    def deliverers(self) -> Mapping[str, "Deliverer"]:
        """Deliverers by publisher."""
        return self._deliverers


class Deliverer:
    """Delivers the events of one publisher."""

    def __init__(self, database: Database, handlers: Callable[[], Mapping[str, EventHandler]]) -> None:
        from fastapi_services_platform.events.deliveries import Deliveries

        self.rows: Deliveries = Deliveries(database)
        self.backlogs: Sequence[Backlog] = ()
        self._database = database
        self._handlers = handlers
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._count_at = 0.0
        self._forget_at = 0.0
        self._ill = False

    def start(self) -> None:
        """Begin to look."""
        self._database.watchers.append(self._wake.set)
        self._task = asyncio.create_task(self._run(), name=f"deliver events of {self._database.name}")

    async def stop(self) -> None:
        """End, with what is under way given back."""
        self._database.watchers.remove(self._wake.set)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                while await self.deliver():
                    pass
                await self._look_after()
                self._ill = False
            except Exception as error:
                if not self._ill:
                    _log.error("events.not_delivered", publisher=self._database.name, exc_info=error)
                self._ill = True
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

    async def deliver(self) -> int:
        """Hand out and deliver what is due now; how many deliveries were tried."""
        handlers = self._handlers()
        if not handlers:
            return 0
        await self.rows.hand_out({name: handler.event for name, handler in handlers.items()})
        held = await self.rows.hold(list(handlers))
        await asyncio.gather(*(self._try(item, handlers[item.handler]) for item in held))
        return len(held)

    async def _try(self, held: Held, handler: EventHandler) -> None:
        with log_fields(event_name=held.name, event_id=held.id, handler=held.handler):
            try:
                async with asyncio.timeout(_HANDLER_SECONDS):
                    await handler.handle(_received(held, self._database.name))
            except asyncio.CancelledError:
                await asyncio.shield(self.rows.give_back(held))
                raise
            except Exception as error:
                pause = _pause_after(held.tries) if held.tries < handler.tries else None
                what = "event.retried" if pause is not None else "event.dead"
                _log.error(what, attempt=held.tries, pause=pause, exc_info=error)
                await self.rows.failed(held, f"{type(error).__name__}: {error}", pause)
            else:
                await self.rows.done(held)

    async def _look_after(self) -> None:
        """Count what waits, and delete what is old, now and then."""
        now = monotonic()
        if now >= self._count_at:
            self._count_at = now + _COUNT_SECONDS
            self.backlogs = await self.rows.backlogs()
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_SECONDS
            await self.rows.forget()


def _pause_after(tries: int) -> float:
    """Seconds until the next try: doubled each time, bounded, and spread so that nodes do not come together."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (tries - 1))
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load


def _received(held: Held, publisher: str) -> ReceivedEvent:
    at = datetime.fromtimestamp(held.at, UTC)
    return ReceivedEvent(
        held.id, held.name, held.key, held.data, publisher, at, attempt=held.tries, correlation_id=held.correlation_id
    )
