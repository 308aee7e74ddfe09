"""The bell over PostgreSQL: any web process wakes the workers of every host; run ids as hints only, never data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from fastapi_services_platform import Database, get_logger
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.ports.bell import Doorbell

_log = get_logger(__name__)
_CHANNEL = "skriptoteket_runs"
_CONNECT_SECONDS = 5.0
_PAUSE_SECONDS = 1.0


class NotifyingDoorbell:
    """The side that rings: with NOTIFY where the database has it, at this host's own door otherwise."""

    def __init__(self, database: Database, own_door: Doorbell) -> None:
        self._database = database
        self._own_door = own_door

    async def ring(self, run_id: RunId) -> None:
        """Wake whoever listens; when nobody does, a poll finds the run a second later."""
        if self._database.dialect != "postgresql":
            await self._own_door.ring(run_id)
            return
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with self._database.session() as session, session.begin():
                told = {"channel": _CHANNEL, "run": str(run_id)}
                await session.execute(text("SELECT pg_notify(:channel, :run)"), told)


@asynccontextmanager
async def notified(database: Database, ring: Callable[[], None], *, url: str | None = None) -> AsyncIterator[None]:
    """Ring whenever somebody notifies, for as long as the block lasts; nothing where the database has no NOTIFY.

    ``url`` names the server itself where the database is reached through a pooler, which passes no LISTEN on.
    """
    if database.dialect != "postgresql":
        yield
        return
    listening = asyncio.create_task(_listen(_address(database, url), ring), name="listen for runs")
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait({listening})


def _address(database: Database, url: str | None) -> str:
    chosen = database.url if url is None else make_url(url)
    return chosen.set(drivername="postgresql").render_as_string(hide_password=False)


async def _listen(address: str, ring: Callable[[], None]) -> None:
    while True:
        try:
            await _connected(address, ring)
        except Exception as error:
            _log.warning("worker.bell_unreachable", error=type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _connected(address: str, ring: Callable[[], None]) -> None:
    import asyncpg  # type: ignore[import-untyped]  # it ships no types; only hosts with PostgreSQL have it

    connection = await asyncpg.connect(address, timeout=_CONNECT_SECONDS)
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _connection: ended.set())
    try:
        await connection.add_listener(_CHANNEL, lambda *_: ring())
        ring()  # what was queued before anybody listened
        await ended.wait()
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await connection.close(timeout=1)
