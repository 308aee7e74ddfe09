"""Tables of the documents file, how it is opened, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import apsw

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.integrity import verified, verified_head
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.errors import Corrupt

FORMAT = "2"

Row = tuple[Any, ...]  # Any: the columns of STRICT tables have exactly the types that the records declare

TABLES = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS docs(
    tenant TEXT NOT NULL, ns TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL,
    expires INTEGER, schema INTEGER NOT NULL, codec INTEGER NOT NULL, key_generation INTEGER NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY(tenant, ns, key)
) STRICT;
CREATE INDEX IF NOT EXISTS docs_expires ON docs(expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS changes(
    seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, ns TEXT NOT NULL, key TEXT NOT NULL, event TEXT NOT NULL,
    at INTEGER NOT NULL, data BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS spaces(
    tenant TEXT NOT NULL, ns TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(tenant, ns)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES('format', '2'), ('sequence', '0'), ('compacted', '0'), ('epoch', '1');
"""

RECORD = "key, value, version, created, updated, expires, schema, codec, key_generation, crc"

_WRITER = (
    "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=10000", "trusted_schema=OFF", "cache_size=-16384",
    "journal_size_limit=67108864",
)  # fmt: skip


def open_writer(path: Path) -> apsw.Connection:
    """The writing connection; the file is made owner-only, its format checked.

    Raises:
        Corrupt: the file is of another program or of another format.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = apsw.Connection(str(path))
    for pragma in _WRITER:
        connection.execute(f"PRAGMA {pragma}")
    if connection.execute("SELECT count(*) FROM sqlite_schema").get:
        check_format(connection, path)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(TABLES)
    connection.execute("COMMIT")
    _sync_folder(path.parent)
    return connection


def _sync_folder(folder: Path) -> None:
    """A new file's name survives a power cut only when its folder was synced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_reader(path: Path) -> apsw.Connection:
    """A connection that only reads."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(5000)
    connection.execute("PRAGMA cache_size=-8192")
    check_format(connection, path)
    return connection


def check_format(connection: apsw.Connection, path: Path) -> None:
    """Raise ``Corrupt`` unless the file holds documents in the format that this version reads."""
    known = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'docs', 'changes')").get
    found = connection.execute("SELECT value FROM meta WHERE name = 'format'").get if known == 3 else None
    if found != FORMAT:
        raise Corrupt(str(path), f"its format is {found!r}, this version reads {FORMAT!r}")


def meta(connection: apsw.Connection, name: str) -> int:
    """A number of the meta table."""
    return int(connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).get)


def record_of(space: Space, row: Row) -> Stored:
    """The record in a row of :data:`RECORD`. Raises ``Corrupt`` when its checksum is another."""
    return verified(space, Stored(*row[:-1]), row[-1])


def head_of(space: Space, row: Row) -> Stored:
    """The same for a row whose value was left out."""
    return verified_head(space, Stored(*row[:-1]), row[-1])
