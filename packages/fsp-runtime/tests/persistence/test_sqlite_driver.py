"""SQLite's connections: one message to their thread for each statement, and nothing lost on the way."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.sqlite_driver import WholeConnection, WholeCursor

MANY = [{"id": number, "name": f"row {number}"} for number in range(5)]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    database = Database("whole", f"sqlite+aiosqlite:///{tmp_path}/whole.db")
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
        await connection.execute(text("INSERT INTO things VALUES (:id, :name)"), MANY)
    yield database.engine
    await database.close()


@pytest.fixture
def crossings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to a connection's thread."""
    import aiosqlite

    sent: list[str] = []
    real: Any = aiosqlite.Connection._execute  # Any: untyped in aiosqlite

    async def counted(self: Any, function: Any, *given: Any, **named: Any) -> Any:  # Any: aiosqlite's own signature
        sent.append(function.__name__)
        return await real(self, function, *given, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return sent


async def test_a_statement_is_one_message(engine: AsyncEngine, crossings: list[str]) -> None:
    """Begin, two statements, commit; giving the connection back sends nothing more."""
    async with engine.begin() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar() == 5
        await connection.execute(text("UPDATE things SET name = 'x' WHERE id = 1"))
    assert crossings == ["_whole", "_whole", "_whole", "commit"]


async def test_what_was_only_read_is_rolled_back_once(engine: AsyncEngine, crossings: list[str]) -> None:
    """A transaction that is left open ends when its connection goes back, and only then."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    assert crossings == ["_whole", "_whole", "rollback"]


async def test_results_are_whole(engine: AsyncEngine) -> None:
    """Names, rows, counts, the last row's id, and what a change returns."""
    async with engine.begin() as connection:
        found = await connection.execute(text("SELECT id, name FROM things ORDER BY id"))
        assert list(found.keys()) == ["id", "name"]
        assert [tuple(row) for row in found] == [(row["id"], row["name"]) for row in MANY]
        changed = await connection.execute(text("UPDATE things SET name = name || '!' WHERE id > 2"))
        assert changed.rowcount == 2
        added = await connection.execute(text("INSERT INTO things (name) VALUES ('new')"))
        assert added.lastrowid == 5
        gone = await connection.execute(text("DELETE FROM things WHERE id < 2 RETURNING id"))
        assert sorted(gone.scalars()) == [0, 1]
        nothing = await connection.execute(text("SELECT id FROM things WHERE id > 99"))
        assert nothing.first() is None


async def test_a_stream_keeps_its_cursor(engine: AsyncEngine) -> None:
    """Rows of a stream come as they are asked for."""
    async with engine.connect() as connection, connection.stream(text("SELECT id FROM things ORDER BY id")) as rows:
        assert [row.id async for row in rows] == [0, 1, 2, 3, 4]


async def test_errors_stay_what_they_are(engine: AsyncEngine) -> None:
    """A broken rule and broken SQL raise what they raise without this; the connection goes on."""
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError):
            await connection.execute(text("INSERT INTO things VALUES (1, 'again')"))
        with pytest.raises(OperationalError):
            await connection.execute(text("SELECT nothing FROM nowhere"))
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_the_seams_hold(engine: AsyncEngine) -> None:
    """SQLAlchemy uses our connection and cursor, and aiosqlite has what they call."""
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        adapted: Any = raw.dbapi_connection  # Any: the adapter, hidden behind SQLAlchemy's own protocol
        assert type(adapted) is WholeConnection
        assert adapted._cursor_cls is WholeCursor
        assert callable(adapted._connection._execute)
        assert adapted._connection.in_transaction is False
