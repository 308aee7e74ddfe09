"""Statements are limited in time, slow ones logged without values, readers refused changes, on both databases."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform.observability.logger_factory import configure_logging, flush_logging
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.engines import shapes, shown_statement
from fastapi_services_platform.persistence.unit_of_work import in_transaction
from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server
from fastapi_services_platform.testing.started_app import settings_for

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/notes.db"
    running: PostgresServer = request.getfixturevalue("server")
    return running.database("notes")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database("notes", url, statement_seconds=0.4)
    async with opened.transaction() as session:
        await session.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, n INTEGER)"))
        await session.execute(text("INSERT INTO note VALUES (1, 0), (2, 0)"))
    yield opened
    await opened.close()


async def test_an_endless_statement_ends(database: Database) -> None:
    """It is refused after its time, and the next statement of the pool is served."""
    async with database.session() as session:
        with pytest.raises(DBAPIError) as caught:
            await session.execute(text(ENDLESS[database.dialect]))
    async with database.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM note"))).scalar_one() == 2
    assert "interrupt" in str(caught.value) or "statement timeout" in str(caught.value)


async def test_a_migration_may_take_its_time(database: Database) -> None:
    """The engine of migrations knows no limit."""
    slow = {
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3000000) SELECT max(x) FROM n",
        "postgresql": "SELECT pg_sleep(0.8)",
    }
    async with database.patient_engine.connect() as connection:
        assert (await connection.execute(text(slow[database.dialect]))).first() is not None


async def test_a_slow_statement_is_logged_without_its_values(url: str, tmp_path: Path) -> None:
    """The log tells database, statement, time, and of parameters only type and length."""
    database = Database("notes", url, slow_seconds=0.000001)
    written = io.BytesIO()
    configure_logging(settings_for(tmp_path), console=written)
    async with database.session() as session:
        await session.execute(text("SELECT CAST(:secret AS text), 'hunter2'"), {"secret": "correct horse"})
    flush_logging()
    await database.close()
    line = next(line for line in written.getvalue().decode().splitlines() if "hunter" in line or "CAST" in line)
    assert '"database":"notes"' in line
    assert "str(13)" in line
    assert "correct horse" not in line
    assert "hunter2" not in line


async def test_a_reader_changes_nothing(database: Database) -> None:
    """A read-only session is refused by the database; its connection serves writers afterwards."""
    async with database.session(read_only=True) as session:
        assert (await session.execute(text("SELECT count(*) FROM note"))).scalar_one() == 2
        with pytest.raises(DBAPIError, match=r"read.?only"):
            await session.execute(text("UPDATE note SET n = 1"))
    async with database.transaction() as session:
        await session.execute(text("UPDATE note SET n = 1"))


async def test_errors_hold_no_values(database: Database) -> None:
    """What a statement was given does not show in the error that it raises."""
    async with database.session() as session:
        with pytest.raises(DBAPIError) as caught:
            await session.execute(text("INSERT INTO missing VALUES (:secret)"), {"secret": "correct horse"})
    assert "correct horse" not in str(caught.value)


async def test_the_pool_is_measured(database: Database) -> None:
    """Size, use, checkouts and waiting are figures, in health too."""
    async with database.session() as session:
        await session.execute(text("SELECT 1"))
        figures = database.pool_figures()
    health = await database.check()
    assert (figures["size"], figures["in_use"], figures["overflow"]) == (5.0, 1.0, 0.0)
    assert figures["checkouts"] >= 2
    assert figures["wait_seconds"] > 0
    assert (health.status, sorted(health.data["pool"])) == ("healthy", sorted(figures))  # type: ignore[call-overload] # data is JSON


@pytest.mark.needs_postgres
async def test_a_deadlock_is_run_again(server: PostgresServer) -> None:
    """Of two transactions that wait for each other the server ends one, and it is repeated to its end."""
    database = Database("notes", server.database("deadlocks"))
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, n INTEGER)"))
        await session.execute(text("INSERT INTO note VALUES (1, 0), (2, 0)"))
    both = asyncio.Barrier(2)
    runs = 0

    async def add(first: int, second: int) -> None:
        met = False

        async def work(session: AsyncSession) -> None:
            nonlocal met, runs
            runs += 1
            await session.execute(text("UPDATE note SET n = n + 1 WHERE id = :id"), {"id": first})
            if not met:
                met = True
                await both.wait()
            await session.execute(text("UPDATE note SET n = n + 1 WHERE id = :id"), {"id": second})

        await in_transaction(database, work)

    await asyncio.gather(add(1, 2), add(2, 1))
    async with database.session() as session:
        totals = (await session.scalars(text("SELECT n FROM note ORDER BY id"))).all()
    await database.close()
    assert (totals, runs) == ([2, 2], 3)


@pytest.mark.needs_postgres
async def test_a_serialization_failure_is_run_again(server: PostgresServer) -> None:
    """Two transactions that read all and write one each cannot both be right; the second try sees the first."""
    database = Database("notes", server.database("serial"))
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE note (id SERIAL PRIMARY KEY, n INTEGER)"))
        await session.execute(text("INSERT INTO note (n) VALUES (1)"))
    both = asyncio.Barrier(2)
    runs = 0

    async def add() -> None:
        met = False

        async def work(session: AsyncSession) -> None:
            nonlocal met, runs
            runs += 1
            total = (await session.execute(text("SELECT sum(n) FROM note"))).scalar_one()
            if not met:
                met = True
                await both.wait()
            await session.execute(text("INSERT INTO note (n) VALUES (:n)"), {"n": total})

        await in_transaction(database, work, serializable=True)

    await asyncio.gather(add(), add())
    async with database.session() as session:
        numbers = (await session.scalars(text("SELECT n FROM note ORDER BY id"))).all()
    await database.close()
    assert (numbers, runs) == ([1, 1, 2], 3)


async def test_one_process_at_a_time(url: str) -> None:
    """Who holds a purpose's lock is alone with it; other purposes are free."""
    one, two = Database("notes", url), Database("notes", url)
    order: list[str] = []
    held = asyncio.Event()

    async def second() -> None:
        await held.wait()
        async with two.exclusively("bank"):
            order.append("second")

    waiting = asyncio.create_task(second())
    async with one.exclusively("bank"):
        held.set()
        async with two.exclusively("other"):
            order.append("first")
    await waiting
    await one.close()
    await two.close()
    assert order == ["first", "second"]


async def test_a_failure_that_stays_is_given_up(tmp_path: Path) -> None:
    """After its attempts the unit of work raises what the database said."""
    import sqlite3

    database = Database("notes", f"sqlite:///{tmp_path}/notes.db")
    runs = 0

    async def work(_session: AsyncSession) -> None:
        nonlocal runs
        runs += 1
        raise sqlite3.OperationalError("database is locked")

    with pytest.raises(sqlite3.OperationalError):
        await in_transaction(database, work, attempts=2)
    await database.close()
    assert runs == 2


def test_shapes_tell_type_and_length_only() -> None:
    """Of one row and of many, by name and by place."""
    assert shapes({"name": "Ada", "age": 36}) == {"name": "str(3)", "age": "int"}
    assert shapes(("Ada", None)) == ["str(3)", "NoneType"]
    assert shapes([("Ada",), ("Eve",)]) == "2 rows"
    assert shown_statement("SELECT  'a''b'\n FROM x") == "SELECT '…' FROM x"
