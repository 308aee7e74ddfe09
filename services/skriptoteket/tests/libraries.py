"""Empty libraries, migrated once for each kind of database and copied for each test."""

import shutil
from pathlib import Path

from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import PostgresServer
from skriptoteket.manifest.plugin import MIGRATIONS

_PATTERN = "skriptoteket_pattern"


class Libraries:
    """Where the patterns are; lives as long as the run of the tests."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "pattern.db"
        self._servers: set[str] = set()

    async def sqlite(self, folder: Path) -> Database:
        """A library in a file of its own."""
        if not self._file.exists():
            await _migrated(f"sqlite:///{self._file}")
        shutil.copyfile(self._file, folder / "library.db")
        return Database("skriptoteket", f"sqlite:///{folder}/library.db")

    async def postgres(self, server: PostgresServer) -> Database:
        """A library in a database of its own; the one of the test before is dropped."""
        if server.url not in self._servers:
            await _migrated(server.database(_PATTERN))
            self._servers.add(server.url)
        return Database("skriptoteket", server.database("skriptoteket_test", like=_PATTERN))


async def _migrated(url: str) -> None:
    database = Database("skriptoteket", url)
    await database.migrate(MIGRATIONS)
    await database.close()
