"""Engines, sessions and addresses of a capability's database."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform import open_database
from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.unit_of_work import in_transaction
from fastapi_services_platform.testing.loop_guard import blocking_calls
from fastapi_services_platform.testing.started_app import settings_for


async def test_sqlite_runs_with_the_safe_pragmas(tmp_path: Path) -> None:
    """WAL, foreign keys, five seconds of patience, full synchronisation."""
    database = open_database("demo", settings_for(tmp_path))
    async with database.session() as session:
        found = {
            name: (await session.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    await database.close()
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": 2}


async def test_the_folder_is_made_beside_the_loop(tmp_path: Path) -> None:
    """The first connection makes the folder of its file, in its own thread."""
    database = Database("demo", f"sqlite+aiosqlite:///{tmp_path}/a/b/demo.db")
    with blocking_calls() as made:
        async with database.session() as session:
            await session.execute(text("SELECT 1"))
    await database.close()
    assert made == []
    assert (tmp_path / "a" / "b" / "demo.db").exists()


async def test_write_sessions_wait_for_each_other(tmp_path: Path) -> None:
    """Twenty writers that read before they write lose nothing: the lock is taken at the begin."""
    database = open_database("demo", settings_for(tmp_path))
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE counter (n INTEGER)"))
        await session.execute(text("INSERT INTO counter VALUES (0)"))

    async def add() -> None:
        async with database.transaction() as session:
            n = (await session.execute(text("SELECT n FROM counter"))).scalar_one()
            await session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    await asyncio.gather(*(add() for _ in range(20)))
    async with database.session() as session:
        total = (await session.execute(text("SELECT n FROM counter"))).scalar_one()
    await database.close()
    assert total == 20


async def test_a_failing_transaction_leaves_nothing(tmp_path: Path) -> None:
    """The block's error rolls everything back."""
    database = open_database("demo", settings_for(tmp_path))
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE t (n INTEGER)"))

    async def fail() -> None:
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM t"))).scalar_one() == 0
    await database.close()


async def test_busy_work_is_run_again(tmp_path: Path) -> None:
    """in_transaction repeats transient failures and gives the result of the run that worked."""
    import sqlite3

    database = open_database("demo", settings_for(tmp_path))
    runs = 0

    async def work(session: AsyncSession) -> int:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise sqlite3.OperationalError("database is locked")
        return int((await session.execute(text("SELECT 42"))).scalar_one())

    result = await in_transaction(database, work)
    await database.close()
    assert (result, runs) == (42, 3)


async def test_a_nested_step_is_a_savepoint(tmp_path: Path) -> None:
    """What fails in it is taken back, and the rest of the transaction is committed once."""
    database = open_database("demo", settings_for(tmp_path))

    async def work(session: AsyncSession) -> None:
        await session.execute(text("CREATE TABLE t (n INTEGER)"))
        await session.execute(text("INSERT INTO t VALUES (1)"))
        with suppress(ValueError):
            async with session.begin_nested():
                await session.execute(text("INSERT INTO t VALUES (2)"))
                raise ValueError
        await session.execute(text("INSERT INTO t VALUES (3)"))

    await in_transaction(database, work)
    async with database.session() as session:
        kept = (await session.execute(text("SELECT n FROM t ORDER BY n"))).scalars().all()
    await database.close()
    assert kept == [1, 3]


def test_the_address_is_resolved_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The capability's own variable, the platform's, then a file in the data folder."""
    settings = settings_for(tmp_path)
    monkeypatch.setenv("DEMO_DATABASE_URL", f"sqlite:///{tmp_path}/own.db")
    assert open_database("demo", settings).address.endswith("/own.db")
    monkeypatch.delenv("DEMO_DATABASE_URL")
    assert open_database("demo", settings).address == f"sqlite+aiosqlite:///{tmp_path}/demo.db"


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite+pysqlite//"])
def test_a_wrong_address_names_its_variable(url: str) -> None:
    """What is no served database URL is refused with an example, without its content."""
    with pytest.raises(ConfigurationError) as caught:
        Database("demo", url)
    assert "DEMO_DATABASE_URL or FSP_DATABASE_URL" in str(caught.value)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    """repr and address hide it."""
    database = Database("demo", "postgresql://user:hunter2@db/demo")
    assert "hunter2" not in repr(database) + database.address
