"""What nodes share and may lose: open breakers, counters of rate limits, and who leads, in Redis or PostgreSQL.

The tables stand in a schema of their own, because they are no data of the hub: nobody migrates them or misses them.
All but the leases are UNLOGGED (no write-ahead log: they are empty after a crash of the server); a lease's token must
not begin anew.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi_services_platform.persistence.databases import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

SCHEMA = "fsp_shared"
_LOCK = 0x46535053
_TABLES = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"CREATE UNLOGGED TABLE IF NOT EXISTS {SCHEMA}.breakers (name text PRIMARY KEY, until timestamptz NOT NULL)",
    f"CREATE UNLOGGED TABLE IF NOT EXISTS {SCHEMA}.counters "
    "(name text PRIMARY KEY, hits bigint NOT NULL, expires timestamptz NOT NULL) WITH (fillfactor = 50)",
    f"CREATE TABLE IF NOT EXISTS {SCHEMA}.leases "
    "(name text PRIMARY KEY, holder text NOT NULL, token bigint NOT NULL, until double precision NOT NULL)",
    f"CREATE INDEX IF NOT EXISTS counters_expire ON {SCHEMA}.counters (expires)",
)


class SharedTables:
    """Connections to a PostgreSQL database in which the tables exist; made on first use, by one node at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made = False

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[AsyncConnection]":
        """A connection inside a transaction."""
        if not self._made:
            await self._make()
        async with self._database.engine.begin() as connection:
            yield connection

    async def _make(self) -> None:
        from sqlalchemy import text

        async with self._database.engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            for statement in _TABLES:
                await connection.execute(text(statement))
        self._made = True
