"""Breakers that several nodes share: when one node finds an upstream down, the others need not find out themselves.

Every node keeps its own breakers and tells the board when one opens or closes; once a second it reads the board. What
is on the board is a name and the time that is left, on the clock of the board. Each node sends its own probe
afterwards. A board that does not answer leaves every node with what it knows itself.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.outbound.clients import Clients
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.shared_state import SCHEMA, SharedTables
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker

_log = get_logger(__name__)
_LOOK_SECONDS = 1.0
_CLOCK_SECONDS = 0.5


class BreakerBoard(Protocol):
    """Open breakers of all nodes."""

    async def put(self, name: str, seconds: float) -> None:
        """Open for so long; 0 takes it off the board."""

    async def read(self) -> Mapping[str, float]:
        """Seconds left by name."""

    async def close(self) -> None:
        """Close connections of its own."""


class DatabaseBoard:
    """A table of the hub's database, on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._tables = SharedTables(database)

    async def put(self, name: str, seconds: float) -> None:
        """See :class:`BreakerBoard`."""
        from sqlalchemy import text

        until = "clock_timestamp() + make_interval(secs => :seconds)"
        insert = f"INSERT INTO {SCHEMA}.breakers VALUES (:name, {until})"  # noqa: S608 - constants
        async with self._tables.connection() as connection:
            if seconds > 0:
                statement = f"{insert} ON CONFLICT (name) DO UPDATE SET until = excluded.until"
                await connection.execute(text(statement), {"name": name, "seconds": seconds})
            else:
                delete = f"DELETE FROM {SCHEMA}.breakers WHERE name = :name"  # noqa: S608 - constants
                await connection.execute(text(delete), {"name": name})

    async def read(self) -> Mapping[str, float]:
        """See :class:`BreakerBoard`."""
        from sqlalchemy import text

        left = "extract(epoch FROM until - clock_timestamp())::float"
        select = f"SELECT name, {left} FROM {SCHEMA}.breakers WHERE until > clock_timestamp()"  # noqa: S608 - constants
        async with self._tables.connection() as connection:
            return {row[0]: row[1] for row in await connection.execute(text(select))}

    async def close(self) -> None:
        """Nothing to close: the database closes itself."""


class RedisBoard:
    """A sorted set of names by the time at which they end, on the server's clock."""

    _KEY = "fsp:breakers"

    def __init__(self, url: str) -> None:
        from redis.asyncio import Redis

        self._redis: Any = Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)  # Any: half typed

    async def put(self, name: str, seconds: float) -> None:
        """See :class:`BreakerBoard`."""
        if seconds > 0:
            await self._redis.zadd(self._KEY, {name: await self._now() + seconds})
        else:
            await self._redis.zrem(self._KEY, name)

    async def read(self) -> Mapping[str, float]:
        """See :class:`BreakerBoard`."""
        now = await self._now()
        await self._redis.zremrangebyscore(self._KEY, "-inf", now)
        return {name.decode(): end - now for name, end in await self._redis.zrange(self._KEY, 0, -1, withscores=True)}

    async def close(self) -> None:
        """Close the pool."""
        await self._redis.aclose()

    async def _now(self) -> float:
        seconds, micros = await self._redis.time()
        return float(seconds) + float(micros) / 1e6


def breaker_board(storage: str, database: Database) -> BreakerBoard | None:
    """The board that a setting names; ``None`` when breakers are not shared.

    Raises:
        ConfigurationError: there is no such storage.
    """
    if storage == "local" or (storage == "auto" and database.dialect != "postgresql"):
        return None
    if storage == "auto":
        return DatabaseBoard(database)
    if storage.startswith(("redis://", "rediss://")):
        try:
            return RedisBoard(storage)
        except (ImportError, ValueError) as error:
            problem = f"breakers cannot be shared there: {error}."
            fix = "install the extra redis and write redis://host:port."
            raise ConfigurationError(problem, variable="FSP_BREAKER_STORAGE", fix=fix) from None
    raise ConfigurationError(
        f"{storage!r} is no storage.", variable="FSP_BREAKER_STORAGE", fix="use auto, local or redis://host:port."
    )


class BreakerSharing:
    """Keeps the breakers of one node and the board in step."""

    def __init__(self, clients: Clients, board: BreakerBoard) -> None:
        self._clients = clients
        self._board = board
        self._changes: dict[str, float] = {}
        self._shared: set[str] = set()
        self._awake = asyncio.Event()
        self._silent = False

    async def run(self) -> None:
        """Look once a second, and as soon as something changes here, until cancelled."""
        try:
            while True:
                await self._quietly()
                try:
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._awake.wait()
                except TimeoutError:
                    continue
        finally:
            await self._board.close()

    async def look(self) -> None:
        """Tell what changed here, and take over what changed elsewhere."""
        breakers = self._clients.breakers()
        for name, breaker in breakers.items():
            if breaker.listener is None:
                breaker.listener = partial(self._note, name)
                if breaker.state == "open":
                    self._note(name, breaker)
        self._awake.clear()
        if not breakers:
            return
        for name, seconds in list(self._changes.items()):
            await self._board.put(name, seconds)
            if self._changes.get(name) == seconds:
                del self._changes[name]
        opened = await self._board.read()
        for name, breaker in breakers.items():
            self._take_over(name, breaker, opened.get(name, 0.0))

    def _take_over(self, name: str, breaker: CircuitBreaker, left: float) -> None:
        if name in self._changes:
            return
        if left > 0:
            self._shared.add(name)
            if breaker.state == "closed":
                breaker.hold(left)
                _log.warning("circuit.opened_elsewhere", name=name, seconds=round(left, 1))
        elif name in self._shared:
            self._shared.discard(name)
            if breaker.seconds_left > _CLOCK_SECONDS:  # taken off before its time: another node closed it
                breaker.release()
                _log.info("circuit.closed_elsewhere", name=name)

    def _note(self, name: str, breaker: CircuitBreaker) -> None:
        self._changes[name] = breaker.seconds_left
        self._awake.set()

    async def _quietly(self) -> None:
        try:
            await self.look()
            self._silent = False
        except Exception as error:
            if not self._silent:
                _log.error("breakers.not_shared", error=repr(error))
            self._silent = True
