"""On PostgreSQL: several nodes migrate once, a lost database is survived, a killed migration is taken up again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text

from fastapi_services_platform import Contribution, Manifest, Migrations, create_app
from fastapi_services_platform.engine.background.leadership import ServerLeadership
from fastapi_services_platform.persistence import migrations as runs
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server
from fastapi_services_platform.testing.stand_ins import Prepared
from fastapi_services_platform.testing.started_app import settings_for

pytestmark = pytest.mark.needs_postgres

FIRST = '''"""First."""
import time
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("SELECT pg_sleep(0.3)")
def downgrade():
    op.drop_table("note")
'''
SECOND = '''"""Second."""
import os
import time
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.add_column("note", sa.Column("text", sa.String(50)))
    if os.environ.get("STOP_HERE"):
        print("in the middle", flush=True)
        time.sleep(60)
def downgrade():
    op.drop_column("note", "text")
'''
NODE = """
import asyncio, sys
from sqlalchemy import MetaData
from fastapi_services_platform import Migrations
from fastapi_services_platform.persistence.databases import Database
sys.path.insert(0, sys.argv[1])
async def main():
    database = Database("notes", sys.argv[2])
    await database.migrate(Migrations("history_on_postgres", MetaData()))
    await database.close()
    print("alembic" in sys.modules)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrations:
    package = tmp_path / "history_on_postgres"
    (package / "versions").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "versions" / "r1.py").write_text(FIRST)
    (package / "versions" / "r2.py").write_text(SECOND)
    monkeypatch.delitem(sys.modules, "history_on_postgres", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Migrations("history_on_postgres", MetaData())


def node(folder: Path, url: str, **environment: str) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", NODE, str(folder), url]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


async def test_four_nodes_start_at_once_and_migrate_once(
    server: PostgresServer, history: Migrations, tmp_path: Path
) -> None:
    """One of them loads Alembic and does the work; all end well."""
    url = server.database("four_nodes")
    nodes = [node(tmp_path, url) for _ in range(4)]
    outputs = [process.communicate(timeout=90)[0].strip() for process in nodes]
    database = Database("notes", url)
    state = await runs.status(database, history)
    await database.close()
    assert [process.returncode for process in nodes] == [0, 0, 0, 0]
    assert sorted(outputs) == ["False", "False", "False", "True"]
    assert state.at_head


async def test_a_killed_migration_is_taken_up_again(
    server: PostgresServer, history: Migrations, tmp_path: Path
) -> None:
    """kill -9 in the middle of a revision leaves the one before it, and the next start finishes."""
    url = server.database("killed")
    process = node(tmp_path, url, STOP_HERE="1")
    assert process.stdout is not None
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    database = Database("notes", url)
    assert (await runs.status(database, history)).current == "0001"
    await asyncio.wait_for(database.migrate(history), 30)
    assert (await runs.status(database, history)).at_head
    await database.close()


async def test_a_node_that_loses_its_database_says_so_and_recovers(server: PostgresServer, tmp_path: Path) -> None:
    """ready 503 and live 200 while connections are refused; 200 again by itself."""
    url = server.database("lost")
    notes = Prepared(Manifest("notes", "1.0", "", database=True), Contribution())
    app = create_app(settings_for(tmp_path, database_url=url), capabilities=[notes])
    async with started_app(app) as client:
        database = app.state.platform.database("notes")
        async with database.session() as session:
            await session.execute(text("SELECT 1"))
        assert (await client.get("/health/ready")).status_code == 200
        admin = Database("admin", server.url)
        async with admin.session() as session:
            await session.execute(text("ALTER DATABASE lost ALLOW_CONNECTIONS false"))
            await session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'"))
            await session.commit()
        await asyncio.sleep(1.1)
        down = await client.get("/health/ready"), await client.get("/health/live")
        async with admin.session() as session:
            await session.execute(text("ALTER DATABASE lost ALLOW_CONNECTIONS true"))
            await session.commit()
        await admin.close()
        await asyncio.sleep(1.1)
        up = await client.get("/health/ready")
    assert [answer.status_code for answer in (*down, up)] == [503, 200, 200]


async def test_one_node_leads_and_another_follows_its_end(server: PostgresServer) -> None:
    """The advisory lock goes to the next node when the leader's connection is gone."""
    url = server.database("leaders")
    databases = [Database("hub", url), Database("hub", url)]
    one, two = (ServerLeadership(database) for database in databases)
    assert (await one.is_mine(), await two.is_mine(), await one.is_mine()) == (True, False, True)
    async with databases[1].session() as session:
        await session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    for _ in range(100):  # the server ends the leader's connection in its own time
        if await two.is_mine():
            break
        await asyncio.sleep(0.05)
    assert (await two.is_mine(), await one.is_mine()) == (True, False)
    await one.release()
    await two.release()
    for database in databases:
        await database.close()
