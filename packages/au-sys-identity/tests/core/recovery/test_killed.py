"""A restore that is killed: the old state or the new one is there, whole (attack 36)."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from fastapi_services_platform.testing.postgres import postgres_server

POINTS = int(os.environ.get("FSP_CRASH_POINTS", "20"))
PEOPLE = 100

DRIVER = """
import asyncio, json, os, signal, sys, time, traceback
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from sqlalchemy import text
from au_sys_identity.core.access.models import Assignment
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings, open_database

folder, points, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

async def fill(name):
    now = datetime.now(UTC)
    async with Operator(PlatformSettings()).opened() as wiring:
        async with wiring.transactions.writing() as unit:
            unit.unwatched()
            for number in range(count):
                address = f"{name}{number}-{uuid7()}@example.org"
                one = Person(SubjectId(uuid7()), address, address, name, "active", now, now)
                await unit.subjects.add(one)
                await unit.credentials.set_password(PasswordRecord(one.id, "hash", now))
                if number == 0:
                    held = Assignment(uuid7(), one.urn, "platform-admin", "*", now, "urn:au:system:test")
                    await unit.grants.assign(held)
            unit.record(Fact("subject.created", "urn:au:system:test", one.urn))

async def people():
    database = open_database("identity", PlatformSettings())
    async with database.session() as session:
        names = sorted({str(row[0]) for row in await session.execute(text("SELECT name FROM subjects"))})
        tables = ("subjects", "persons", "passwords")
        counts = {(await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar() for table in tables}
        sound = len(counts) == 1
        if database.file:
            sound = sound and (await session.execute(text("PRAGMA integrity_check"))).scalar() == "ok"
    await database.close()
    return [names, sound]

async def back_up():
    return (await Operator(PlatformSettings()).back_up("first"))["id"]

async def prove():
    return (await Operator(PlatformSettings()).prove(folder / "audit.ndjson"))["ok"]

def forked(work, told=None):
    child = os.fork()
    if child == 0:
        try:
            answer = asyncio.run(work())
            if told is not None:
                os.write(told, json.dumps(answer).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    return child

def asked(work):
    reading, writing = os.pipe()
    os.waitpid(forked(work, writing), 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        return json.loads(answer.read())

asked(lambda: fill("old"))
backup = UUID(asked(back_up))
asked(lambda: fill("new"))

async def restore():
    await Operator(PlatformSettings()).restore(backup, real=True, accept_weaker=False)

begun = time.monotonic()
asked(restore)
longest, seen = time.monotonic() - begun, [asked(people)]
asked(lambda: fill("new"))
for point in range(points):
    child = forked(restore)
    time.sleep(longest * (point + 1) / points)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    seen.append(asked(people))
    if seen[-1][0] == ["old"]:
        asked(lambda: fill("new"))
print(json.dumps({"seen": seen, "proved": asked(prove)}), flush=True)
"""


@pytest.mark.parametrize("where", ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
def test_killed_at_any_moment(tmp_path: Path, where: str) -> None:
    """Old or new, never a mixture; and the log stays sound."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IDENTITY_", "FSP_"))}
    kept |= {"FSP_ENVIRONMENT": "test", "FSP_DATA_DIR": str(tmp_path), "IDENTITY_PASSWORD_MEMORY_KIB": "8"}
    points = POINTS if where == "sqlite" else max(POINTS // 4, 5)
    command = [sys.executable, "-c", DRIVER, str(tmp_path), str(points), str(PEOPLE)]
    with postgres_server() if where == "postgresql" else nullcontext() as server:
        if server is not None:
            kept["FSP_DATABASE_URL"] = server.database("killed")
        done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["seen"][0] == [["old"], True]
    assert [one for one in found["seen"] if one not in ([["old"], True], [["new", "old"], True])] == []
    assert len(found["seen"]) == points + 1
    assert found["proved"] is True


@pytest.mark.parametrize("command", ["backup", "restore", "prove"])
def test_commands_explain_themselves(command: str) -> None:
    """Each tells what it does."""
    from click.testing import CliRunner

    from au_sys_identity.adapters.cli.recovery import commands

    answer = CliRunner().invoke(commands, [command, "--help"])
    assert answer.exit_code == 0
    assert answer.output
