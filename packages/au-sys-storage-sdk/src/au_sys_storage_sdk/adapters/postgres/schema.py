"""Tables of documents in PostgreSQL, and what its errors mean to a caller of storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from au_sys_storage_sdk.adapters.postgres.placing import FUNCTION, SCHEMA, WRITE
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import verified, verified_head
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.errors import Corrupt, OutcomeUnknown, ReadOnly, StorageError, Unavailable

FORMAT = 2

FILLED = 60
"""Percent of a page that new documents fill. The room is for their next versions: those then need no new page and no
new entry in an index, which is most of what a write costs, and the table ends smaller than a full one."""

_LOCK = 7_305_411_820_041

TABLES = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.meta(
    one bool PRIMARY KEY DEFAULT true CHECK (one), format int NOT NULL, sequence bigint NOT NULL,
    compacted bigint NOT NULL, epoch bigint NOT NULL, standing text NOT NULL DEFAULT '', mark bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.docs(
    tenant text COLLATE "C" NOT NULL, ns text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL,
    version bigint NOT NULL, created bigint NOT NULL, updated bigint NOT NULL, expires bigint, schema int NOT NULL,
    codec int NOT NULL, key_generation int NOT NULL, crc bigint NOT NULL, PRIMARY KEY(tenant, ns, key)
) WITH (fillfactor = {FILLED});
CREATE INDEX IF NOT EXISTS docs_expires ON {SCHEMA}.docs(expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS {SCHEMA}.changes(
    seq bigint PRIMARY KEY, tenant text NOT NULL, ns text NOT NULL, key text NOT NULL, event text NOT NULL,
    at bigint NOT NULL, data bytea
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.spaces(
    tenant text COLLATE "C" NOT NULL, ns text COLLATE "C" NOT NULL, last bigint NOT NULL, PRIMARY KEY(tenant, ns)
);
INSERT INTO {SCHEMA}.meta(format, sequence, compacted, epoch) VALUES({FORMAT}, 0, 0, 1) ON CONFLICT DO NOTHING;
"""

_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'meta'"
_LATER = {"standing": "text NOT NULL DEFAULT ''", "mark": "bigint NOT NULL DEFAULT 0"}

_FULL = f"SELECT reloptions IS NULL FROM pg_class WHERE oid = '{SCHEMA}.docs'::regclass"  # noqa: S608 - a constant

RECORD = "key, value, version, created, updated, expires, schema, codec, key_generation, crc"

LARGEST_KEY = 2700
"""Bytes that an index entry of PostgreSQL takes; tenant, namespace and key together stay below."""


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the tables, once among all nodes that start together.

    Raises:
        Corrupt: they are of another format.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval("SELECT to_regclass($1)", f"{SCHEMA}.meta") is None:
            await connection.execute(TABLES)
        columns = {row[0] for row in await connection.fetch(_COLUMNS, SCHEMA)}
        for name in _LATER.keys() - columns:
            await connection.execute(f"ALTER TABLE {SCHEMA}.meta ADD COLUMN {name} {_LATER[name]}")
        if await connection.fetchval("SELECT to_regproc($1)", FUNCTION) is None:
            await connection.execute(WRITE)
        if await connection.fetchval(_FULL):
            await connection.execute(f"ALTER TABLE {SCHEMA}.docs SET (fillfactor = {FILLED})")
        found = await connection.fetchval(f"SELECT format FROM {SCHEMA}.meta")  # noqa: S608 - a constant
    if found != FORMAT:
        raise Corrupt(f"schema {SCHEMA}", f"its format is {found!r}, this version reads {FORMAT}")


def record_of(space: Space, row: asyncpg.Record) -> Stored:
    """The record in a row of :data:`RECORD`. Raises ``Corrupt`` when its checksum is another."""
    *fields, crc = row
    return verified(space, Stored(*fields), crc)


def head_of(space: Space, row: asyncpg.Record) -> Stored:
    """The same for a row whose value was left out."""
    *fields, crc = row
    return verified_head(space, Stored(*fields), crc)


_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


@contextmanager
def translated(*, writes: bool = False) -> Iterator[None]:
    """Raise storage errors for what comes from the server or the way to it; others are bugs and pass.

    ``writes``: a commit is under way, so that nobody knows its outcome when the connection is lost.
    """
    try:
        yield
    except StorageError:
        raise
    except (asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError) as error:
        raise ReadOnly("postgres", str(error)) from error
    except asyncpg.DiskFullError as error:
        raise Unavailable("the disk of the PostgreSQL server is full", retry_after=30) from error
    except _LOST as error:
        reason = f"PostgreSQL does not answer ({type(error).__name__})"
        raise OutcomeUnknown(reason) if writes else Unavailable(reason) from error
    except (
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        asyncpg.QueryCanceledError,
        asyncpg.LockNotAvailableError,
        asyncpg.DeadlockDetectedError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidAuthorizationSpecificationError,
    ) as error:
        raise Unavailable(f"PostgreSQL does not answer ({type(error).__name__})") from error
