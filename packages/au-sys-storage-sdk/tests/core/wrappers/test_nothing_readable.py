"""Sealed documents on every durable backend: what lies on the disk, is dumped or backed up holds nothing readable."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.adapters.sqlite.snapshots import back_up
from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
from au_sys_storage_sdk.core.wrappers.keys import KeyRing
from fastapi_services_platform.testing.postgres import postgres_server
from fastapi_services_platform.testing.redis import redis_server

MARK = "plaintext-marker"
KEY = b"k" * 32


async def _write(url: str) -> None:
    """Documents, their next versions, a removed one, a counter and an event, in what the disk may keep."""
    async with Storage(Encrypted(await document_store(url), KeyRing({1: KEY}))) as storage:
        space = storage.namespace("things")
        for number in range(20):
            await space.put(f"k{number % 5}", {"secret": f"{MARK} {number} " * 40})
        await space.delete("k0")
        async with storage.transaction() as steps:
            steps.emit(space, "event", MARK)
            steps.put(space, "k9", MARK)
        found = await space.get("k9")
        assert found is not None
        assert found.value == MARK


def _hold_nothing(folder: Path) -> int:
    """How many files hold no mark; none holds one."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if MARK.encode() in path.read_bytes()] == []
    return len(files)


async def test_sqlite_and_its_backup(tmp_path: Path) -> None:
    """File, log and backup."""
    await _write(f"sqlite://{tmp_path}/documents.db")
    back_up(tmp_path / "documents.db", tmp_path / "backup.db", lambda *_: None)
    assert _hold_nothing(tmp_path) >= 2


@pytest.mark.needs_redis
async def test_redis_and_its_dump(tmp_path: Path) -> None:
    """The append-only log, and what SAVE writes."""
    with redis_server(tmp_path) as url:
        await _write(url)
        port = url.rpartition(":")[2].partition("/")[0]
        tool = shutil.which("redis-cli") or "redis-cli"
        subprocess.run([tool, "-p", port, "save"], check=True, capture_output=True)
        assert _hold_nothing(tmp_path) >= 2


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database of our own."""
    with postgres_server() as server:
        yield server.database("sealed")


@pytest.mark.needs_postgres
async def test_postgres_and_its_dump(database: str) -> None:
    """Every row of every table, as a dump would write it."""
    import asyncpg  # type: ignore[import-untyped]  # it ships no types

    await _write(database)
    connection = await asyncpg.connect(database)
    for table in ("docs", "changes", "spaces", "meta"):
        rows = await connection.fetch(f"SELECT t::text, encode(t::text::bytea, 'escape') FROM au_sys_storage.{table} t")
        assert rows
        assert MARK not in str(rows)
        assert MARK.encode().hex() not in str(rows)
    await connection.close()
