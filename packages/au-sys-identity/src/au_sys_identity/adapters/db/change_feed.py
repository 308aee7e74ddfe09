"""How one process learns at once what another changed.

In the process itself a commit calls its listeners. PostgreSQL tells every process that listens; between processes on
one SQLite file, and wherever a listener is down, versions are asked for every few hundredths of a second.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from au_sys_identity.adapters.db.versions import CHANNEL
from fastapi_services_platform import Database, get_logger

_log = get_logger(__name__)
_PAUSES = (0.1, 0.5, 1.0, 5.0)
_CONNECT_SECONDS = 5.0


class ChangeFeed:
    """Calls ``changed`` whenever a transaction anywhere raised the version of a topic."""

    def __init__(self, database: Database, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self.listening = asyncio.Event()

    async def start(self) -> None:
        """Listen, where there is something to listen to."""
        if self._database.dialect == "postgresql" and self._task is None:
            self._task = asyncio.create_task(self._listen(), name="identity.change-feed")

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        attempt = 0
        while True:
            try:
                await self._connected()
                attempt = 0
            except Exception as error:
                _log.warning("feed.unreachable", attempt=attempt, error=type(error).__name__)
            self.listening.clear()
            await asyncio.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
            attempt += 1

    async def _connected(self) -> None:
        """Listen until the connection ends."""
        import asyncpg  # type: ignore[import-untyped]  # it ships no types

        address = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(address, timeout=_CONNECT_SECONDS)
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._changed()  # what happened before anybody listened
            self.listening.set()
            await ended.wait()
        finally:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await connection.close(timeout=1)

    def _heard(self, _connection: object, _pid: int, _channel: str, _topic: str) -> None:
        self._changed()
