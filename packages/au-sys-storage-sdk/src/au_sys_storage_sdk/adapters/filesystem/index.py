"""Which key leads to which content: an SQLite file that several processes of one host share.

Every change runs inside BEGIN IMMEDIATE, so that checks of a condition and of a reference count hold until the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import apsw

from au_sys_storage_sdk.core.address import Space, after_prefix
from au_sys_storage_sdk.core.blobs.models import BlobInfo, Usage
from au_sys_storage_sdk.core.errors import Corrupt, ReadOnly, Unavailable
from au_sys_storage_sdk.core.paging import Page

T = TypeVar("T")

_FORMAT = "1"
_BUSY_MS = 10_000

_TABLES = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents(
    sha256 BLOB PRIMARY KEY, size INTEGER NOT NULL, refs INTEGER NOT NULL, checksums BLOB NOT NULL, inline BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS contents_unused ON contents(sha256) WHERE refs = 0;
CREATE TABLE IF NOT EXISTS blobs(
    tenant TEXT NOT NULL, ns TEXT NOT NULL, key TEXT NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL,
    version INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, content_type TEXT NOT NULL,
    PRIMARY KEY(tenant, ns, key)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES('format', '1'), ('sequence', '0');
"""

_LAST = b""
"""Behind every key: SQLite sorts bytes behind text."""

_COLUMNS = "key, size, sha256, version, created, updated, content_type"
_PAGES = {
    sign: f"SELECT {_COLUMNS} FROM blobs WHERE tenant = ? AND ns = ? AND key {sign} ? AND key < ?"  # noqa: S608 - constants
    " ORDER BY key LIMIT ?"
    for sign in (">", ">=")
}


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes behind a digest: inline, or in a file."""

    digest: bytes
    size: int
    checksums: bytes
    inline: bytes | None


class BlobIndex:
    """One connection to the index; calls come from worker threads, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._connection = apsw.Connection(str(path))
        self._connection.set_busy_timeout(_BUSY_MS)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        self.change(self._create)

    def _create(self, connection: apsw.Connection) -> None:
        connection.execute(_TABLES)
        found = connection.execute("SELECT value FROM meta WHERE name = 'format'").get
        if found != _FORMAT:
            raise Corrupt(str(self._path), f"its format is {found!r}, this version reads {_FORMAT!r}")

    def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a look-up."""
        with self._lock:
            return self._translated(work)

    def change(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a change as one durable transaction, alone among all processes."""
        with self._lock:
            return self._translated(partial(_in_transaction, work))

    def _translated(self, work: Callable[[apsw.Connection], T]) -> T:
        try:
            return work(self._connection)
        except (apsw.BusyError, apsw.LockedError) as error:
            raise Unavailable(f"the blob index is busy for more than {_BUSY_MS // 1000} s ({error})") from error
        except (apsw.FullError, apsw.CantOpenError, apsw.IOError) as error:
            raise Unavailable(f"the disk under the blob index does not answer ({error})", retry_after=5) from error
        except apsw.ReadOnlyError as error:
            raise ReadOnly("filesystem", str(error)) from error
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise Corrupt(str(self._path), str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def _in_transaction(work: Callable[[apsw.Connection], T], connection: apsw.Connection) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def next_version(connection: apsw.Connection) -> int:
    """Take the next number of the commit sequence."""
    taken = connection.execute(
        "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'sequence' RETURNING CAST(value AS INTEGER)"
    ).get
    return int(taken)


def find(connection: apsw.Connection, space: Space, key: str) -> BlobInfo | None:
    """The entry of a key."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM blobs WHERE tenant = ? AND ns = ? AND key = ?",  # noqa: S608 - a constant
        (space.tenant, space.namespace, key),
    ).fetchone()
    return None if row is None else _info(row)


def page(connection: apsw.Connection, space: Space, prefix: str, after: str, limit: int) -> Page[BlobInfo]:
    """Entries in key order. One lower bound: of two the index would use the first and walk past the rest."""
    sign, lower = (">", after) if after >= prefix and after else (">=", prefix)
    rows = connection.execute(
        _PAGES[sign],
        (space.tenant, space.namespace, lower, after_prefix(prefix) or _LAST, limit + 1),
    ).fetchall()
    items = tuple(_info(row) for row in rows[:limit])
    return Page(items, items[-1].key if len(rows) > limit else None)


def content_of(connection: apsw.Connection, digest: bytes) -> Content | None:
    """The bytes behind a digest."""
    row = connection.execute(
        "SELECT sha256, size, checksums, inline FROM contents WHERE sha256 = ?", (digest,)
    ).fetchone()
    return None if row is None else Content(*row)


def put(connection: apsw.Connection, space: Space, info: BlobInfo) -> None:
    """Point a key at content and count the reference."""
    digest = bytes.fromhex(info.sha256)
    release(connection, space, info.key)
    connection.execute("UPDATE contents SET refs = refs + 1 WHERE sha256 = ?", (digest,))
    connection.execute(
        "INSERT INTO blobs(tenant, ns, key, sha256, size, version, created, updated, content_type)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            space.tenant, space.namespace, info.key, digest, info.size,
            info.version, info.created, info.updated, info.content_type,
        ),
    )  # fmt: skip


def release(connection: apsw.Connection, space: Space, key: str) -> None:
    """Take a key away and count its reference off."""
    address = (space.tenant, space.namespace, key)
    gone = connection.execute(
        "DELETE FROM blobs WHERE tenant = ? AND ns = ? AND key = ? RETURNING sha256", address
    ).fetchone()
    if gone is not None:
        connection.execute("UPDATE contents SET refs = refs - 1 WHERE sha256 = ?", gone)


def add_content(connection: apsw.Connection, content: Content) -> None:
    """Make content known, without a reference yet; known content stays as it is."""
    connection.execute(
        "INSERT INTO contents(sha256, size, refs, checksums, inline) VALUES(?, ?, 0, ?, ?) ON CONFLICT DO NOTHING",
        (content.digest, content.size, content.checksums, content.inline),
    )


def unused(connection: apsw.Connection, limit: int) -> list[bytes]:
    """Digests that no key leads to."""
    return [row[0] for row in connection.execute("SELECT sha256 FROM contents WHERE refs = 0 LIMIT ?", (limit,))]


def forget(connection: apsw.Connection, digest: bytes) -> bool:
    """Drop content without references; whether it was dropped."""
    connection.execute("DELETE FROM contents WHERE sha256 = ? AND refs = 0", (digest,))
    return connection.changes() > 0


def usage(connection: apsw.Connection) -> list[Usage]:
    """Count and size of every namespace."""
    rows = connection.execute("SELECT tenant, ns, count(*), sum(size) FROM blobs GROUP BY tenant, ns")
    return [Usage(*row) for row in rows]


def _info(row: tuple[apsw.SQLiteValue, ...]) -> BlobInfo:
    key, size, digest, version, created, updated, content_type = row
    return BlobInfo(
        str(key), int(size or 0), bytes(digest).hex() if isinstance(digest, bytes) else "",
        int(version or 0), int(created or 0), int(updated or 0), str(content_type),
    )  # fmt: skip
