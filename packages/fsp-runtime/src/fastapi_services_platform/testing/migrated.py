"""Pytest plugin: an empty SQLite database is migrated once in a run; each further one begins as a copy of that. And
one PostgreSQL server serves a whole run.

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

from fastapi_services_platform.capability.contribution import Migrations
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.migrations import OUTBOX, versions_folder
from fastapi_services_platform.testing.postgres import kept_server

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
        folder.mkdir(exist_ok=True)

    @property
    def migrate(self) -> Migrate:
        """What stands in for ``Database.migrate``."""

        async def migrate(database: Database, migrations: Migrations) -> None:
            file = Path(database.file) if database.file else None
            if self.off or file is None or file.exists():
                await self.steps(database, migrations)
                return
            kept = await asyncio.to_thread(self._kept, database.name, migrations)
            if kept.exists():
                await asyncio.to_thread(_begin_with, kept, file)
                await self.steps(database, migrations)
                return
            await self.steps(database, migrations)
            await asyncio.to_thread(_keep, file, kept)

        return migrate

    def _kept(self, name: str, migrations: Migrations) -> Path:
        found = hashlib.sha256(name.encode())
        for history in (migrations, OUTBOX) if migrations.outbox else (migrations,):
            found.update(history.history.encode())
            for revision in sorted(versions_folder(history).glob("*.py")):
                stat = revision.stat()
                found.update(f"{revision} {stat.st_mtime_ns} {stat.st_size}\n".encode())
        return self._folder / f"{found.hexdigest()}.db"


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
