"""Sliding windows in which requests are counted: in memory, in Redis, or in PostgreSQL.

All three estimate alike: what the window before counted, weighted with the share of it that still lies in the last
window's length, plus what this one counts.
"""

from dataclasses import dataclass
from math import ceil
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.shared_state import SCHEMA, SharedTables

if TYPE_CHECKING:
    from limits import RateLimitItem

_SWEEP_SECONDS = 60.0
_REDIS_SECONDS = 1.0
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Counted:
    """Whether a request is within its limit, how many more would be, and seconds until the window has moved on."""

    allowed: bool
    remaining: int
    seconds: int


class Windows(Protocol):
    """Where requests are counted."""

    async def hit(self, item: "RateLimitItem", name: str) -> Counted:
        """Count a request of ``name``, unless it is beyond the limit."""

    async def close(self) -> None:
        """Close connections of its own."""


class LibraryWindows:
    """What the ``limits`` library keeps: in this process, or in Redis for all nodes."""

    def __init__(self, storage: str) -> None:
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter

        self._pool: Any = None  # Any: redis.asyncio.ConnectionPool, from the extra
        if storage == "memory://":
            self._window = SlidingWindowCounterRateLimiter(MemoryStorage())
            return
        from limits.aio.storage import RedisStorage
        from redis.asyncio import ConnectionPool

        self._pool = ConnectionPool.from_url(storage, socket_timeout=_REDIS_SECONDS)
        kept = RedisStorage(f"async+{storage}", connection_pool=self._pool, implementation="redispy")
        self._window = SlidingWindowCounterRateLimiter(kept)

    async def hit(self, item: "RateLimitItem", name: str) -> Counted:
        """See :class:`Windows`."""
        allowed = await self._window.hit(item, name)
        reset, remaining = await self._window.get_window_stats(item, name)
        return Counted(allowed, max(0, remaining), max(1, ceil(reset - time())))

    async def close(self) -> None:
        """See :class:`Windows`."""
        if self._pool is not None:
            await self._pool.aclose()


class DatabaseWindows:
    """A table of the hub's database on PostgreSQL: one statement for each request, on the server's clock."""

    _HIT = f"""
        WITH moment AS (SELECT extract(epoch FROM clock_timestamp())::float8 / :length AS at),
        place AS (SELECT floor(at)::bigint AS number, at - floor(at) AS past FROM moment),
        earlier AS (
            SELECT coalesce((SELECT hits FROM {SCHEMA}.counters
                             WHERE name = :name || '|' || (place.number - 1)), 0) * (1 - past) AS hits FROM place
        ),
        counted AS (
            INSERT INTO {SCHEMA}.counters AS c (name, hits, expires)
            SELECT :name || '|' || number, 1, to_timestamp((number + 2) * :length) FROM place, earlier
            WHERE earlier.hits + 1 <= :limit
            ON CONFLICT (name) DO UPDATE SET hits = c.hits + 1
            WHERE c.hits + 1 + (SELECT hits FROM earlier) <= :limit
            RETURNING hits
        )
        SELECT (SELECT hits FROM counted), earlier.hits, (1 - past) * :length FROM place, earlier
    """  # noqa: S608 - the schema is a constant

    def __init__(self, database: Database) -> None:
        self._tables = SharedTables(database)
        self._swept = 0.0

    async def hit(self, item: "RateLimitItem", name: str) -> Counted:
        """See :class:`Windows`."""
        from sqlalchemy import text

        values = {"name": name[:_LONGEST_NAME], "limit": item.amount, "length": float(item.get_expiry())}
        async with self._tables.connection() as connection:
            found = (await connection.execute(text(self._HIT), values)).one()
            if time() - self._swept > _SWEEP_SECONDS:
                self._swept = time()
                await connection.execute(text(f"DELETE FROM {SCHEMA}.counters WHERE expires < now()"))  # noqa: S608 - constant
        hits, earlier, seconds = found
        remaining = 0 if hits is None else int(item.amount - earlier - hits)
        return Counted(hits is not None, max(0, remaining), max(1, ceil(seconds)))

    async def close(self) -> None:
        """Nothing to close: the database closes itself."""


def windows_in(storage: str, database: Database) -> Windows:
    """Windows where ``FSP_RATE_LIMIT_STORAGE`` says.

    Raises:
        ConfigurationError: there is no such storage.
    """
    fix = "use memory://, redis://… (extra redis) or database (PostgreSQL)."
    if storage == "database":
        if database.dialect != "postgresql":
            problem = "only PostgreSQL counts for several nodes; this platform has a database in files"
            raise ConfigurationError(f"{problem}.", variable="FSP_RATE_LIMIT_STORAGE", fix=fix)
        return DatabaseWindows(database)
    scheme, mark, _ = storage.partition("://")
    if scheme not in ("memory", "redis", "rediss") or not mark:
        raise ConfigurationError(f"{scheme!r} keeps no rate limits.", variable="FSP_RATE_LIMIT_STORAGE", fix=fix)
    try:
        return LibraryWindows(storage)
    except (ImportError, ValueError) as error:
        problem = f"rate limits cannot be kept there: {error}."
        raise ConfigurationError(problem, variable="FSP_RATE_LIMIT_STORAGE", fix=fix) from None
