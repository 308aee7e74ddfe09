"""Which of several processes runs the background jobs. The lock dies with its holder, so no clock has to agree."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from fastapi_services_platform.persistence.databases import Database

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Leadership(Protocol):
    """Asked before every run of a job."""

    async def is_mine(self) -> bool: ...

    async def release(self) -> None: ...


class FileLeadership:
    """For processes of one host: a lock on a file, taken by whoever asks first and kept until it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    async def is_mine(self) -> bool:
        """Whether this process leads; it becomes the leader when nobody is."""
        if self._handle is not None:
            return True
        self._path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    async def release(self) -> None:
        """Let somebody else lead."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class ServerLeadership:
    """For nodes that share a PostgreSQL server: an advisory lock on a connection kept for it.

    The server gives the lock back when the connection dies, so a node that is cut off is replaced without a timeout.
    """

    def __init__(self, database: Database, name: str = "fsp-jobs") -> None:
        self._database = database
        self._key = crc32(name.encode())
        self._connection: AsyncConnection | None = None

    async def is_mine(self) -> bool:
        """Whether this node leads; a lost connection is a lost leadership."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if self._connection is not None:
                await self._connection.execute(text("SELECT 1"))
                await self._connection.commit()
                return True
            connection = await self._database.engine.connect()
            taken = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key})
            if taken.scalar_one():
                await connection.commit()
                self._connection = connection
                return True
            await connection.close()
        except (SQLAlchemyError, OSError):
            await self._drop()
        return False

    async def release(self) -> None:
        """Let another node lead."""
        from sqlalchemy import text

        if self._connection is not None:
            async with _ignored():
                await self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
                await self._connection.commit()
        await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            async with _ignored():
                await connection.invalidate()
                await connection.close()


@asynccontextmanager
async def _ignored() -> AsyncIterator[None]:
    """A connection that is given up may fail once more on its way out."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, OSError):
        return
