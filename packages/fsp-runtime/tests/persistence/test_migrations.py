"""Migrations: at once under a lock, not at all at the head, honest when they fail."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, text

from fastapi_services_platform import Migrations, open_database
from fastapi_services_platform.errors import MigrationError
from fastapi_services_platform.persistence import migrations as runs
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.testing.started_app import settings_for

FIRST = '''"""First."""
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True))
def downgrade():
    op.drop_table("note")
'''
SECOND = '''"""Second."""
import sqlalchemy as sa
from alembic import op
revision: str = "0002"
down_revision: str | None = "0001"
def upgrade():
    op.add_column("note", sa.Column("text", sa.String(50)))
def downgrade():
    with op.batch_alter_table("note") as batch:
        batch.drop_column("text")
'''
BROKEN = '''"""Third."""
from alembic import op
revision = "0003"
down_revision = "0002"
def upgrade():
    op.execute("CREATE TABLE half (id INTEGER)")
    op.execute("INSERT INTO nowhere VALUES (1)")
def downgrade():
    pass
'''


def history(folder: Path, monkeypatch: pytest.MonkeyPatch, *revisions: str) -> Migrations:
    package = folder / "history_of_notes"
    (package / "versions").mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    for number, content in enumerate(revisions):
        (package / "versions" / f"r{number}.py").write_text(content)
    monkeypatch.delitem(sys.modules, "history_of_notes", raising=False)
    monkeypatch.syspath_prepend(str(folder))
    metadata = MetaData()
    Table("note", metadata, Column("id", Integer, primary_key=True), Column("text", String(50)))
    return Migrations("history_of_notes", metadata)


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    return open_database("notes", settings_for(tmp_path))


async def test_upgrade_reaches_the_head_and_downgrade_undoes_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up, no drift, down to nothing, up again."""
    history_of = history(tmp_path, monkeypatch, FIRST, SECOND)
    await database.migrate(history_of)
    assert await runs.status(database, history_of) == runs.MigrationStatus("notes", "0002", "0002")
    assert await runs.drift(database, history_of) == []
    await runs.downgrade(database, history_of, "base")
    assert (await runs.status(database, history_of)).current is None
    await database.migrate(history_of)
    assert (await runs.status(database, history_of)).at_head
    await database.close()


async def test_a_failed_step_leaves_the_last_good_revision(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken revision leaves no half table, the error names database, revision and cause."""
    history_of = history(tmp_path, monkeypatch, FIRST, SECOND, BROKEN)
    with pytest.raises(MigrationError) as caught:
        await database.migrate(history_of)
    assert "Database 'notes': upgrade from nothing to 0003 failed: OperationalError" in str(caught.value)
    assert "the last good revision stands" in str(caught.value)
    assert (await runs.status(database, history_of)).current == "0002"
    async with database.session() as session:
        tables = (await session.execute(text("SELECT name FROM sqlite_master WHERE name = 'half'"))).all()
    assert tables == []
    await database.close()


def test_two_newest_revisions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked history is named before anything runs."""
    forked = SECOND.replace('"0002"', '"0002b"')
    history_of = history(tmp_path, monkeypatch, FIRST, SECOND, forked)
    with pytest.raises(MigrationError) as caught:
        runs.head_of("notes", history_of)
    assert "has 2 newest revisions (0002, 0002b)" in str(caught.value)


PROCESS = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import MetaData
from fastapi_services_platform import Migrations, open_database
from fastapi_services_platform.testing.started_app import settings_for
sys.path.insert(0, sys.argv[1])
async def main():
    database = open_database("notes", settings_for(Path(sys.argv[1])))
    await database.migrate(Migrations("history_of_notes", MetaData()))
    await database.close()
    print("alembic" in sys.modules)
asyncio.run(main())
"""


async def test_processes_that_start_together_migrate_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four processes at once: all end well, one of them did the work, the others never imported Alembic."""
    history(tmp_path, monkeypatch, FIRST, SECOND)
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=60)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert sorted(outputs) == ["False", "False", "False", "True"]
