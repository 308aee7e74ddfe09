"""Writers of one SQLite file take turns."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from fastapi_services_platform.errors import DatabaseBusy
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.turns import Turns


async def test_many_writers_all_get_in(tmp_path: Path) -> None:
    """Two hundred at once, far more than the pool has connections: each writes, in the order in which it came, and
    readers are served meanwhile."""
    database = Database("notes", f"sqlite:///{tmp_path}/notes.db", pool_size=2)
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, writer INTEGER)"))

    async def write(writer: int) -> None:
        async with database.session(write=True) as session, session.begin():
            await session.execute(text("INSERT INTO note (writer) VALUES (:writer)"), {"writer": writer})

    async def read() -> int:
        async with database.session() as session:
            return int((await session.execute(text("SELECT count(*) FROM note"))).scalar_one())

    writers = [asyncio.create_task(write(number)) for number in range(200)]
    await asyncio.sleep(0)
    assert await read() < 200
    await asyncio.gather(*writers)
    async with database.session() as session:
        order = list((await session.execute(text("SELECT writer FROM note ORDER BY id"))).scalars())
    await database.close()
    assert order == list(range(200))


async def test_a_failed_writer_ends_its_turn(tmp_path: Path) -> None:
    """Whether it raises, is cancelled while it writes or while it waits, the next one gets in."""
    database = Database("notes", f"sqlite:///{tmp_path}/notes.db")
    inside, hold = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        async with database.transaction() as session:
            await session.execute(text("CREATE TABLE lost (id INTEGER)"))
            raise ValueError("no")

    async def stay() -> None:
        async with database.transaction() as session:
            await session.execute(text("CREATE TABLE lost (id INTEGER)"))
            inside.set()
            await hold.wait()

    with pytest.raises(ValueError, match="no"):
        await fail()
    holding = asyncio.create_task(stay())
    await inside.wait()
    waiting = asyncio.create_task(stay())
    await asyncio.sleep(0)
    waiting.cancel()
    holding.cancel()
    await asyncio.gather(holding, waiting, return_exceptions=True)
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE kept (id INTEGER)"))
    await database.close()


async def test_patience_ends() -> None:
    """A turn that does not come in time is refused by name, and is not taken later."""
    turns = Turns("notes", 0.01)
    await turns.take()
    with pytest.raises(DatabaseBusy, match=r"'notes'.*in vain"):
        await turns.take()
    turns.end()
    await turns.take()
