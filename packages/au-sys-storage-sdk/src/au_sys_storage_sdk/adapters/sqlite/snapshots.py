"""A consistent copy of a documents file while others write to it, through SQLite's own backup."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import apsw

from au_sys_storage_sdk.adapters.sqlite.failures import translated
from au_sys_storage_sdk.adapters.sqlite.ownership import Ownership
from au_sys_storage_sdk.adapters.sqlite.schema import RECORD, Row, check_format, record_of
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput

Progress = Callable[[str, int], None]

_PAGES = 2000


def back_up(source: Path, target: Path, progress: Progress) -> int:
    """Copy into a new file and check the copy; how many documents it holds.

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
                    progress("pages", copying.page_count - copying.remaining)
            writing.execute("PRAGMA journal_mode=DELETE")
        finally:
            writing.close()
            reading.close()
    return verify(target)


def verify(path: Path) -> int:
    """Check a file: SQLite's own structure and the checksum of each document; how many documents it holds.

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
            count = 0
            rows: apsw.Cursor = connection.execute(f"SELECT tenant, ns, {RECORD} FROM docs")  # noqa: S608 - constants
            for row in rows:
                fields: Row = row
                record_of(Space(fields[0], fields[1]), fields[2:])
                count += 1
            return count
        finally:
            connection.close()


def restore(backup: Path, target: Path, progress: Progress) -> int:
    """Put a verified backup in the place of a documents file that nobody has open; how many documents it holds.

    The file that was there is kept beside it with the ending ``.before-restore``.

    Raises:
        InUse: a process has the target open.
        Corrupt: the backup is damaged; nothing was changed.
    """
    verify(backup)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = Ownership(target)
    owner.take()
    try:
        fresh = target.with_name(target.name + ".restoring")
        fresh.unlink(missing_ok=True)
        count = back_up(backup, fresh, progress)
        if target.exists():
            _folded(target)
            target.replace(target.with_name(target.name + ".before-restore"))
        for ending in ("-wal", "-shm"):
            target.with_name(target.name + ending).unlink(missing_ok=True)
        fresh.replace(target)
    finally:
        owner.release()
    return count


def _folded(path: Path) -> None:
    """Bring what is only in the write-ahead log into the file, so that the file alone is whole."""
    with translated(str(path), "sqlite"):
        connection = apsw.Connection(str(path))
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
