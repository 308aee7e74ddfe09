"""A consistent copy of a documents file while others write to it, through SQLite's own backup."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import apsw

from au_sys_storage_sdk.adapters.sqlite.failures import translated
from au_sys_storage_sdk.adapters.sqlite.ownership import Ownership
from au_sys_storage_sdk.adapters.sqlite.schema import RECORD, Row, check_format, record_of
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput
from au_sys_storage_sdk.core.progress import Progress

_PAGES = 2000


class Whole(NamedTuple):
    """What a file was found to hold: how many documents, and a SHA-256 over all of them, the feed and the sequence.

    The digest is that of the content, not of the bytes: a backup, what is restored from it and the original agree.
    """

    documents: int
    digest: str


def back_up(source: Path, target: Path, progress: Progress) -> Whole:
    """Copy into a new file and check the copy; what it holds.

    Raises:
        InvalidInput: the target exists, or the source does not.
        Corrupt: the copy (and so the source) is damaged.
    """
    if target.exists() or not source.exists():
        raise InvalidInput("file", f"{target} exists, or {source} does not", "name an existing source and a new target")
    with translated(str(source), "sqlite"):
        reading = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        writing = apsw.Connection(str(target))
        try:
            check_format(reading, source)
            with writing.backup("main", reading, "main") as copying:
                while not copying.done:
                    copying.step(_PAGES)
                    progress("pages", copying.page_count - copying.remaining, copying.page_count)
            writing.execute("PRAGMA journal_mode=DELETE")
        finally:
            writing.close()
            reading.close()
    return verify(target)


def verify(path: Path) -> Whole:
    """Check a file: SQLite's own structure and the checksum of each document; what it holds.

    Raises:
        Corrupt: it is damaged.
    """
    with translated(str(path), "sqlite"):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            check_format(connection, path)
            found = connection.execute("PRAGMA integrity_check(1)").get
            if found != "ok":
                raise Corrupt(str(path), str(found))
            return _read(connection)
        finally:
            connection.close()


def _read(connection: apsw.Connection) -> Whole:
    digest, count = hashlib.sha256(), 0
    rows: apsw.Cursor = connection.execute(f"SELECT tenant, ns, {RECORD} FROM docs ORDER BY tenant, ns, key")  # noqa: S608 - constants
    for row in rows:
        fields: Row = row
        record_of(Space(fields[0], fields[1]), fields[2:])
        digest.update(repr(fields).encode())
        count += 1
    for table in ("changes ORDER BY seq", "spaces ORDER BY tenant, ns", "meta ORDER BY name"):
        for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - constants
            digest.update(repr(row).encode())
    return Whole(count, digest.hexdigest())


def restore(backup: Path, target: Path, progress: Progress) -> Whole:
    """Put a verified backup in the place of a documents file that nobody has open; what it holds.

    The file that was there is kept beside it with the ending ``.before-restore``.

    Raises:
        InUse: a process has the target open.
        Corrupt: the backup is damaged, or its copy is another; nothing was changed.
    """
    expected = verify(backup)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = Ownership(target)
    owner.take()
    try:
        fresh = target.with_name(target.name + ".restoring")
        fresh.unlink(missing_ok=True)
        found = back_up(backup, fresh, progress)
        if found != expected:
            raise Corrupt(str(fresh), f"its digest is {found.digest}, the backup's {expected.digest}")
        if target.exists():
            _folded(target)
            target.replace(target.with_name(target.name + ".before-restore"))
        for ending in ("-wal", "-shm"):
            target.with_name(target.name + ending).unlink(missing_ok=True)
        fresh.replace(target)
    finally:
        owner.release()
    return found


def _folded(path: Path) -> None:
    """Bring what is only in the write-ahead log into the file, so that the file alone is whole."""
    with translated(str(path), "sqlite"):
        connection = apsw.Connection(str(path))
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
