"""A run that waits wakes the workers of every host on one PostgreSQL; a SQLite library rings at its own door."""

import asyncio
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi_services_platform import Database
from skriptoteket.adapters.db.notifying import NotifyingDoorbell, notified
from skriptoteket.adapters.worker.doorbell import DoorbellListener, UnixDoorbell
from skriptoteket.core.identifiers import RunId

if TYPE_CHECKING:
    from fastapi_services_platform.testing.postgres import PostgresServer

_LONG = 60.0


async def test_every_host_hears_of_a_run(postgres: "PostgresServer", tmp_path: Path) -> None:
    """Two listeners with state directories of their own both hear a ring of a third process's door."""
    database = Database("skriptoteket", postgres.database("skriptoteket_bell"))
    heard = [asyncio.Event(), asyncio.Event()]
    async with notified(database, heard[0].set), notified(database, heard[1].set):
        for event in heard:
            await asyncio.wait_for(event.wait(), _LONG)  # rung once when the line stands
            event.clear()
        await NotifyingDoorbell(database, UnixDoorbell(tmp_path)).ring(RunId(uuid.uuid4()))
        for event in heard:
            await asyncio.wait_for(event.wait(), _LONG)
    await database.close()


async def test_a_library_of_one_host_rings_at_its_own_door(tmp_path: Path) -> None:
    """With SQLite the worker's own socket is rung, and there is nothing to listen to."""
    database = Database("skriptoteket", f"sqlite+aiosqlite:///{tmp_path}/library.db")
    listener = DoorbellListener(tmp_path)
    async with notified(database, listener.ring):
        await NotifyingDoorbell(database, UnixDoorbell(tmp_path)).ring(RunId(uuid.uuid4()))
        await asyncio.wait_for(listener.wait(_LONG), _LONG)
    listener.close()
    await database.close()


async def test_a_database_that_is_away_does_not_hurt(tmp_path: Path) -> None:
    """Ringing never raises, whatever the database does."""
    database = Database("skriptoteket", "postgresql://nobody@127.0.0.1:9/none")
    await NotifyingDoorbell(database, UnixDoorbell(tmp_path)).ring(RunId(uuid.uuid4()))
    await database.close()
