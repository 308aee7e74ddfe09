"""Changes of flags: kept with their history, shared with every node of the database within a second."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi_services_platform.config.feature_flags import FeatureFlags, FlagValue
from fastapi_services_platform.observability.logger_factory import get_logger
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.resilience.pools import blocking

_log = get_logger(__name__)
_LOOK_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class FlagChanged:
    """One change of a flag's default; ``at`` is set when it is read back."""

    flag: str
    before: FlagValue
    after: FlagValue
    actor: str
    reason: str = ""
    at: datetime | None = None


class SharedFlags:
    """Where changes go: on one host into the file that its processes read, on PostgreSQL into the database, because
    nodes of several hosts share no file; so too where there is no configuration folder. Then the database's value
    stands instead of the file's or the capability's default.
    """

    def __init__(self, flags: FeatureFlags, database: Database) -> None:
        self._flags = flags
        self._database = database
        self._in_database = database.dialect == "postgresql" or flags.file is None
        self._seen = -1
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read what other nodes changed, and keep looking."""
        if self._in_database:
            if self._flags.flags:
                await self.look()
            self._task = asyncio.create_task(self._follow(), name="follow shared flags")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def change(self, change: FlagChanged) -> None:
        """Put a value in force: here at once, on every other node within a second.

        Raises:
            ConfigurationError: the file does not take it.
            OSError: the file cannot be written.
        """
        from fastapi_services_platform.hub.switches.flag_rows import FlagRows

        if not self._in_database:
            await blocking(self._flags.change, change.flag, change.after)
        await FlagRows(self._database).keep(change, shared=self._in_database)
        if self._in_database:
            await self.look()

    async def history(self, limit: int) -> list[FlagChanged]:
        """Changes, newest first."""
        from fastapi_services_platform.hub.switches.flag_rows import FlagRows

        return await FlagRows(self._database).history(limit)

    async def look(self) -> None:
        """Take over what the database says, when that is new."""
        version = await self._version()
        if version == self._seen:
            return
        if version == 0:  # nobody ever changed one
            self._seen = 0
            return
        from fastapi_services_platform.hub.switches.flag_rows import FlagRows

        found = await FlagRows(self._database).values()
        self._flags.override(found.values)
        if self._seen >= 0:
            _log.info("flags.changed", version=found.version)
        self._seen = found.version

    async def _version(self) -> int:
        """How often flags were changed. A SQLite file is asked without SQLAlchemy: a start has no other use for it."""
        if self._database.file is not None:
            return await blocking(_version_in, self._database.file)
        from fastapi_services_platform.hub.switches.flag_rows import FlagRows

        return await FlagRows(self._database).version()

    async def _follow(self) -> None:
        """A database that does not answer leaves the flags as they are."""
        lost = False
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._flags.flags:
                continue
            try:
                await self.look()
                lost = False
            except Exception as error:
                if not lost:
                    _log.error("flags.kept_last_good", problem=f"{type(error).__name__}: {error}")
                lost = True


def _version_in(file: str) -> int:
    with closing(sqlite3.connect(f"file:{quote(file)}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT version FROM flag_version").fetchone()
    return int(row[0]) if row is not None else 0
