"""Pytest plugin: an empty database is migrated once in a run; each further one begins as a copy of that. And one
PostgreSQL server serves a whole run.

Load it with ``-p fastapi_services_platform.testing.migrated``. A copy has the revisions that the files of the history
lead to, so a start finds it at its head. A test marked ``real_migrations`` runs every step itself.
"""

import asyncio
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from fastapi_services_platform.capability.contribution import Migrations
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.migrations import OUTBOX, versions_folder
from fastapi_services_platform.testing.postgres import kept_server, server_of_the_run

Migrate = Callable[[Database, Migrations], Awaitable[None]]

_MARK = "real_migrations"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{_MARK}: runs every step of its migrations, where others copy the result")


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Copies"]:
    """Copies of migrated databases, which the workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    copies = Copies((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "migrated", Database.migrate)
    Database.migrate = copies.migrate  # type: ignore[method-assign, assignment]  # every database of the run
    yield copies
    Database.migrate = copies.steps  # type: ignore[method-assign, assignment]  # as it was


@pytest.fixture(scope="session", autouse=True)
def _one_postgres() -> Iterator[None]:
    with kept_server():
        yield


@pytest.fixture(autouse=True)
def _migrated_for_real(request: pytest.FixtureRequest, migrated_once: "Copies") -> None:
    migrated_once.off = request.node.get_closest_marker(_MARK) is not None


class Copies:
    """Databases at the head of their history, each a file named by what that history holds."""

    def __init__(self, folder: Path, steps: Migrate) -> None:
        self.steps = steps
        self.off = False
        self._folder = folder
        self._on_server: set[str] = set()
        folder.mkdir(exist_ok=True)

    @property
    def migrate(self) -> Migrate:
        """What stands in for ``Database.migrate``."""

        async def migrate(database: Database, migrations: Migrations) -> None:
            if database.dialect == "postgresql" and not self.off:
                await self._on_postgres(database, migrations)
                return
            file = Path(database.file) if database.file else None
            if self.off or file is None or file.exists():
                await self.steps(database, migrations)
                return
            kept = self._folder / f"{await asyncio.to_thread(_digest, database.name, migrations)}.db"
            if kept.exists():
                await asyncio.to_thread(_begin_with, kept, file)
                await self.steps(database, migrations)
                return
            await self.steps(database, migrations)
            await asyncio.to_thread(_keep, file, kept)

        return migrate

    async def _on_postgres(self, database: Database, migrations: Migrations) -> None:
        """The same with a database of the kept server as the copy that others begin with."""
        server = server_of_the_run()
        if server is None or not await _is_empty(database):
            await self.steps(database, migrations)
            return
        kept = "kept_" + (await asyncio.to_thread(_digest, database.name, migrations))[:40]
        own = str(database.url.database)
        if kept not in self._on_server:
            await self.steps(database, migrations)
            await database.close()  # what is copied may have no connection
            await _copy(server.url, own, kept)
            self._on_server.add(kept)
        else:
            await database.close()
            await _copy(server.url, kept, own)
            await self.steps(database, migrations)


async def _is_empty(database: Database) -> bool:
    tables = text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    async with database.patient_engine.connect() as connection:
        return (await connection.execute(tables)).scalar() == 0


async def _copy(url: str, source: str, target: str) -> None:
    import asyncpg  # type: ignore[import-untyped]  # it has no types

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
    finally:
        await connection.close()


def _digest(name: str, migrations: Migrations) -> str:
    found = hashlib.sha256(name.encode())
    for history in (migrations, OUTBOX) if migrations.outbox else (migrations,):
        found.update(history.history.encode())
        for revision in sorted(versions_folder(history).glob("*.py")):
            stat = revision.stat()
            found.update(f"{revision} {stat.st_mtime_ns} {stat.st_size}\n".encode())
    return found.hexdigest()


def _begin_with(kept: Path, file: Path) -> None:
    """Of several that begin at once one copies, and the others find its file."""
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    draft = Path(tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")[1])
    shutil.copyfile(kept, draft)
    draft.chmod(0o644)
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()


def _keep(file: Path, kept: Path) -> None:
    draft = kept.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(draft)) as target:
        source.backup(target)
    draft.replace(kept)
