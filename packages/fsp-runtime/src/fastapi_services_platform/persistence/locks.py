"""One process at a time: a lock on a database that dies with its holder."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from fastapi_services_platform.errors import MigrationError

if TYPE_CHECKING:
    from fastapi_services_platform.persistence.databases import Database

_LOCK_SECONDS = 60.0


@asynccontextmanager
async def exclusively(database: "Database", purpose: str) -> AsyncIterator[None]:
    """Hold the lock of a purpose: an advisory one of the server, or one on a file beside a SQLite file.

    Raises:
        MigrationError: another process of this host holds the file for a minute.
    """
    if database.dialect == "sqlite":
        async with _file_lock(database, purpose):
            yield
        return
    from sqlalchemy import text

    key = crc32(f"fsp-{purpose}:{database.name}".encode())
    async with database.patient_engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        await connection.commit()
        try:
            yield
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
            await connection.commit()


@asynccontextmanager
async def _file_lock(database: "Database", purpose: str) -> AsyncIterator[None]:
    path = database.file
    if path is None:
        yield
        return
    handle = _open_lock(f"{path}.{purpose}.lock")
    try:
        await _wait_for_lock(handle, database.name, purpose)
        yield
    finally:
        os.close(handle)


def _open_lock(path: str) -> int:
    Path(path).absolute().parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


async def _wait_for_lock(handle: int, name: str, purpose: str) -> None:
    try:
        async with asyncio.timeout(_LOCK_SECONDS):
            while not _try_lock(handle):  # noqa: ASYNC110 - a lock of another process sets no event here
                await asyncio.sleep(0.05)
    except TimeoutError:
        problem = f"another process holds the lock {purpose!r} for more than {_LOCK_SECONDS:g} s."
        raise MigrationError(name, problem, "see which process has it open and end it.") from None


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
