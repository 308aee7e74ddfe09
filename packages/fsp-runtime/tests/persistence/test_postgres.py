"""On PostgreSQL: several nodes migrate once, a lost database is survived, a killed migration is taken up again."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import MetaData, text

from fastapi_services_platform import Migrations
from fastapi_services_platform.persistence import migrations as runs
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server

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

LOST = """
from fastapi_services_platform import Contribution, Health, HealthCheck, Manifest, create_app
from fastapi_services_platform.testing.stand_ins import Prepared

class Notes(Prepared):
    async def initialize(self, platform):
        database = platform.database("notes")
        return Contribution(health_checks=(HealthCheck("database", database.check, critical=True),))

def make():
    return create_app(capabilities=[Notes(Manifest("notes", "1.0", "", database=True))])
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def answered(url: str, status: int) -> int:
    """The status of a path, when it is the wanted one or a generous time is over."""
    deadline = time.monotonic() + 120
    while True:
        try:
            found = httpx.get(url, timeout=20).status_code
        except httpx.TransportError:
            found = 0
        if found == status or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


async def test_a_node_that_loses_its_database_says_so_and_recovers(server: PostgresServer, tmp_path: Path) -> None:
    """A real process: ready 503 and live 200 while connections are refused; 200 again by itself."""
    (tmp_path / "lost.py").write_text(LOST)
    url, port = server.database("lost"), free_port()
    environment = {**os.environ, "FSP_DATA_DIR": str(tmp_path), "FSP_DATABASE_URL": url, "PYTHONPATH": str(tmp_path)}
    arguments = [
        sys.executable,
        "-m",
        "fastapi_services_platform.cli",
        "run",
        "--app",
        "lost:make",
        "--port",
        str(port),
    ]
    admin, base = Database("admin", server.url), f"http://127.0.0.1:{port}"
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            before = answered(f"{base}/health/ready", 200)
            async with admin.transaction() as session:
                await session.execute(text("ALTER DATABASE lost ALLOW_CONNECTIONS false"))
                away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'"
                await session.execute(text(away))
            down = answered(f"{base}/health/ready", 503), answered(f"{base}/health/live", 200)
            async with admin.transaction() as session:
                await session.execute(text("ALTER DATABASE lost ALLOW_CONNECTIONS true"))
            up = answered(f"{base}/health/ready", 200)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    await admin.close()
    assert (before, down, up, process.returncode) == (200, (503, 200), 200, 0)
