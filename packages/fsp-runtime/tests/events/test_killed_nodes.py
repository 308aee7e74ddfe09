"""An event whose publisher is killed between its commit and the delivery reaches its handler on the next node."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server

NODE = '''
"""A platform of one capability that publishes, and handles what it publishes."""
import asyncio, os, pathlib, sys
from fastapi_services_platform import Contribution, Event, EventHandler, Manifest, Migrations, Outbox
from fastapi_services_platform.testing import started_app
from fastapi_services_platform.testing.stand_ins import Prepared
from fastapi_services_platform.testing.started_app import settings_for

folder, step = pathlib.Path(sys.argv[1]), sys.argv[2]
done = asyncio.Event()

def history():
    from sqlalchemy import MetaData
    return MetaData()

async def handle(event):
    if step == "hang":
        print("in the handler", flush=True)
        await asyncio.Event().wait()
    with (folder / "seen").open("a") as seen:
        seen.write(f"{event.id} {event.data['n']} {event.attempt}\\n")
    if event.data["n"] == 2:
        done.set()

async def main():
    handlers = (EventHandler("read", "note.written", handle),) if step != "publish" else ()
    migrations = Migrations("history_of_a_node", history, outbox=True)
    manifest = Manifest("notes", "1.0", "", database=True)
    notes = Prepared(manifest, Contribution(migrations=migrations, event_handlers=handlers))
    from fastapi_services_platform import create_app
    app = create_app(settings_for(folder, database_url=os.environ.get("NODE_DATABASE")), capabilities=[notes])
    async with started_app(app):
        database = app.state.platform.database("notes")
        if step == "publish":
            for n in (1, 2):
                async with database.transaction() as session:
                    await Outbox(database).publish(session, Event("note.written", "k", {"n": n}))
            print("committed", flush=True)
            await asyncio.Event().wait()
        await asyncio.wait_for(done.wait(), 100)

asyncio.run(main())
'''
FIRST = '''"""First."""
revision = "0001"
down_revision = None
def upgrade(): pass
def downgrade(): pass
'''
NO_LEASE = "UPDATE notes_event_deliveries SET held_until = 0"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    versions = tmp_path / "history_of_a_node" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").write_text("")
    (versions / "r1.py").write_text(FIRST)
    (tmp_path / "node.py").write_text(NODE)
    found = {**os.environ, "PYTHONPATH": str(tmp_path)}
    if request.param == "postgres":
        running: PostgresServer = request.getfixturevalue("server")
        found["NODE_DATABASE"] = running.database("nodes")
    return found


def node(folder: Path, environment: dict[str, str], step: str) -> "subprocess.Popen[str]":
    arguments = [sys.executable, str(folder / "node.py"), str(folder), step]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(arguments, env=environment, text=True, stdout=subprocess.PIPE, stderr=quiet)


def killed_after(process: "subprocess.Popen[str]", line: str) -> None:
    """Kill a node with SIGKILL when it has printed a line."""
    assert process.stdout is not None
    assert line in iter(process.stdout.readline, "")
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_between_commit_and_delivery(tmp_path: Path, environment: dict[str, str]) -> None:
    """The next node delivers both events, in order, each once."""
    killed_after(node(tmp_path, environment, "publish"), "committed\n")
    after = node(tmp_path, environment, "handle")
    assert (after.communicate(timeout=120), after.returncode)[1] == 0
    rows = [line.split()[1:] for line in (tmp_path / "seen").read_text().splitlines()]
    assert rows == [["1", "1"], ["2", "1"]]


def test_killed_in_the_middle_of_a_handler(tmp_path: Path, environment: dict[str, str]) -> None:
    """What a killed node held goes to the next one when its lease is over, as a second attempt of the same id."""
    killed_after(node(tmp_path, environment, "publish"), "committed\n")
    killed_after(node(tmp_path, environment, "hang"), "in the handler\n")
    end_lease(tmp_path, environment)
    after = node(tmp_path, environment, "handle")
    assert (after.communicate(timeout=120), after.returncode)[1] == 0
    rows = [line.split()[1:] for line in (tmp_path / "seen").read_text().splitlines()]
    assert rows == [["1", "2"], ["2", "1"]]


def end_lease(folder: Path, environment: dict[str, str]) -> None:
    """Let the minute of the lease be over."""
    import asyncio

    from sqlalchemy import text

    from fastapi_services_platform.persistence.databases import Database

    async def main() -> None:
        database = Database("notes", environment.get("NODE_DATABASE") or f"sqlite:///{folder}/notes.db")
        async with database.transaction() as session:
            await session.execute(text(NO_LEASE))
        await database.close()

    asyncio.run(main())
