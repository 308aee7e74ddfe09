"""A restore that is killed: the old state or the new one is there, whole (attack 36)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

POINTS = int(os.environ.get("FSP_CRASH_POINTS", "20"))
PEOPLE = 100

DRIVER = """
import asyncio, json, os, random, signal, sqlite3, sys, time
from datetime import UTC, datetime
from pathlib import Path
from au_sys_identity.core.access.models import Assignment
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.manifest.operator import Operator
from fastapi_services_platform import PlatformSettings

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

def forked(work):
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(work())
        finally:
            os._exit(0)
    return child

def people():
    connection = sqlite3.connect(folder / "identity.db")
    try:
        names = sorted({str(row[0]) for row in connection.execute("SELECT name FROM subjects")})
        tables = ("subjects", "persons", "passwords")
        counts = {connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        connection.close()
    return [names, len(counts) == 1 and sound]

async def back_up():
    print((await Operator(PlatformSettings()).back_up("first"))["id"], flush=True)

os.waitpid(forked(lambda: fill("old")), 0)
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.dup2(writing, 1)
    asyncio.run(back_up())
    os._exit(0)
os.waitpid(child, 0)
from uuid import UUID
backup = UUID(os.read(reading, 100).decode().split()[-1])
os.waitpid(forked(lambda: fill("new")), 0)

async def restore():
    await Operator(PlatformSettings()).restore(backup, real=True, accept_weaker=False)

begun = time.monotonic()
os.waitpid(forked(restore), 0)
longest, seen, whole = time.monotonic() - begun, [people()], 0
os.waitpid(forked(lambda: fill("new")), 0)
for point in range(points):
    child = forked(restore)
    time.sleep(longest * (point + 1) / points)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    seen.append(people())
    if seen[-1][0] == ["old"]:
        os.waitpid(forked(lambda: fill("new")), 0)

async def prove():
    found = await Operator(PlatformSettings()).prove(folder / "audit.ndjson")
    print(json.dumps({"seen": seen, "proved": found["ok"]}), flush=True)

child = forked(prove)
os.waitpid(child, 0)
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Old or new, never a mixture; and the log stays sound."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("IDENTITY_", "FSP_"))}
    chosen = {"FSP_ENVIRONMENT": "test", "FSP_DATA_DIR": str(tmp_path), "IDENTITY_PASSWORD_MEMORY_KIB": "8"}
    command = [sys.executable, "-c", DRIVER, str(tmp_path), str(POINTS), str(PEOPLE)]
    done = subprocess.run(command, env={**kept, **chosen}, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["seen"][0] == [["old"], True]
    assert [one for one in found["seen"] if one not in ([["old"], True], [["new", "old"], True])] == []
    assert len(found["seen"]) == POINTS + 1
    assert found["proved"] is True


@pytest.mark.parametrize("command", ["backup", "restore", "prove"])
def test_commands_explain_themselves(command: str) -> None:
    """Each tells what it does."""
    from click.testing import CliRunner

    from au_sys_identity.adapters.cli.recovery import commands

    answer = CliRunner().invoke(commands, [command, "--help"])
    assert answer.exit_code == 0
    assert answer.output
