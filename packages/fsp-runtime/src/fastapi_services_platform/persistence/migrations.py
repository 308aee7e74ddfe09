"""Alembic per capability: its own version table, under a lock, untouched when the database is at its head."""

import asyncio
import contextlib
import re
import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi_services_platform.capability.contribution import Migrations
from fastapi_services_platform.errors import MigrationError
from fastapi_services_platform.observability.logger_factory import get_logger

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fastapi_services_platform.persistence.databases import Database

_log = get_logger(__name__)
_REVISION = re.compile(r"^revision(?:\s*:[^=]+)?\s*=\s*['\"]([^'\"]+)['\"]", re.MULTILINE)
_DOWN = re.compile(r"^down_revision(?:\s*:[^=]+)?\s*=\s*(?:['\"]([^'\"]+)['\"]|None)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """Where a database stands; ``current`` is ``None`` before the first migration."""

    database: str
    current: str | None
    head: str

    @property
    def at_head(self) -> bool:
        """Whether nothing is left to do."""
        return self.current == self.head


OUTBOX = Migrations("fastapi_services_platform.events.migrations", None, history="events")
"""The platform's own history in the database of a capability that publishes events."""


def version_table(name: str, history: str = "") -> str:
    """The table that holds the revision of a capability's history, or of a further one beside it."""
    return f"{name}_{history}_alembic_version" if history else f"{name}_alembic_version"


def versions_folder(migrations: Migrations) -> Path:
    """The folder with the revision files."""
    return Path(str(files(migrations.package))) / "versions"


def head_of(name: str, migrations: Migrations) -> str:
    """The newest revision, read from the files without importing Alembic.

    Raises:
        MigrationError: there is no revision, or more than one newest.
    """
    folder = versions_folder(migrations)
    revisions: set[str] = set()
    parents: set[str] = set()
    for file in sorted(folder.glob("*.py")):
        text = file.read_text(encoding="utf-8")  # factory: allow Y03 -- read once, before anything is served
        revision = _REVISION.search(text)
        if revision is None:
            continue
        revisions.add(revision.group(1))
        down = _DOWN.search(text)
        if down is not None and down.group(1):
            parents.add(down.group(1))
    heads = sorted(revisions - parents)
    if len(heads) != 1:
        what = f"has {len(heads)} newest revisions ({', '.join(heads) or 'none'})"
        raise MigrationError(name, f"{migrations.package} {what}.", "keep one line of revisions in versions/.")
    return heads[0]


async def status(database: "Database", migrations: Migrations) -> MigrationStatus:
    """Where the database stands."""
    head = head_of(database.name, migrations)
    async with database.engine.connect() as connection:
        current = await connection.run_sync(_current, version_table(database.name, migrations.history))
    return MigrationStatus(database.name, current, head)


async def upgrade(database: "Database", migrations: Migrations, revision: str = "head") -> None:
    """Bring the database to a revision, one process at a time.

    Raises:
        MigrationError: a step failed. Each revision runs in a transaction of its own, so the last good revision stands.
    """
    await _under_lock(database, migrations, "upgrade", revision)
    if migrations.outbox and revision == "head":
        await _under_lock(database, OUTBOX, "upgrade", revision)


async def downgrade(database: "Database", migrations: Migrations, revision: str) -> None:
    """Bring the database back to a revision (``base``: nothing left).

    Raises:
        MigrationError: a step failed or cannot be taken back.
    """
    await _under_lock(database, migrations, "downgrade", revision)


async def drift(database: "Database", migrations: Migrations) -> list[str]:
    """Differences between the tables and the metadata, one line each; empty when they agree."""

    def compare(connection: "Connection") -> list[str]:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        own = set(migrations.tables.tables)
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _parents: kind != "table" or name in own}
        )
        return [str(change) for change in compare_metadata(context, migrations.tables)]

    async with database.engine.connect() as connection:
        return await connection.run_sync(compare)


async def _under_lock(database: "Database", migrations: Migrations, step: str, revision: str) -> None:
    head = head_of(database.name, migrations)
    table = version_table(database.name, migrations.history)
    if step == "upgrade" and revision == "head" and await asyncio.to_thread(_file_is_at, database, table, head):
        return
    async with database.exclusively("migrate"):
        async with database.patient_engine.connect() as connection:
            current = await connection.run_sync(_current, table)
        if step == "upgrade" and revision == "head" and current == head:
            return
        try:
            async with database.patient_engine.connect() as connection:
                await connection.run_sync(_run, database.name, migrations, step, revision)
                await connection.commit()
        except MigrationError:
            raise
        except Exception as error:
            first_line = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
            raise MigrationError(
                database.name,
                f"{step} from {current or 'nothing'} to {revision if revision != 'head' else head} failed: "
                f"{type(error).__name__}: {first_line}.",
                "the last good revision stands; correct the revision file or the data and start again.",
            ) from error
        _log.info("database.migrated", database=database.name, step=step, from_revision=current, to_revision=revision)


def _file_is_at(database: "Database", table: str, head: str) -> bool:
    """Whether a SQLite file is at its head, found without SQLAlchemy: importing it costs more than a start should."""
    path = database.file
    if not path or not Path(path).is_file():
        return False
    with contextlib.closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute(f'SELECT version_num FROM "{table}"').fetchone()  # noqa: S608 - made of a capability's name
        except sqlite3.Error:
            return False
    return row is not None and row[0] == head


def _current(connection: "Connection", table: str) -> str | None:
    from sqlalchemy import inspect, text

    if not inspect(connection).has_table(table):
        return None
    row = connection.execute(text(f'SELECT version_num FROM "{table}"')).first()  # noqa: S608 - made of a capability's name
    return None if row is None else str(row[0])


def _run(connection: "Connection", name: str, migrations: Migrations, step: str, revision: str) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(
        str(versions_folder(migrations).parent), version_locations=[str(versions_folder(migrations))]
    )

    def steps(current: Any, _context: Any) -> Any:  # Any: Alembic's own signature of ``fn``
        if step == "upgrade":
            return script._upgrade_revs(revision, current)
        return script._downgrade_revs(revision, current)

    context = EnvironmentContext(Config(), script, fn=steps)
    context.configure(
        connection=connection,
        target_metadata=migrations.tables,
        version_table=version_table(name, migrations.history),
        fsp_owner=name,
        transaction_per_migration=True,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction(), context:
        context.run_migrations()
