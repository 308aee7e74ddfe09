"""A library over every kind of store, with a clock that stands still and three people."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.memory.unit_of_work import MemoryUnitOfWork
from skriptoteket.core.roles import ADMIN_RIGHTS, CONTRIBUTOR_RIGHTS, SUPERUSER_RIGHTS, Actor

from .libraries import Libraries

KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)]


@pytest.fixture
def clock() -> StandingClock:
    """A clock that stands still."""
    return StandingClock()


@pytest.fixture
def people() -> dict[str, Actor]:
    """An author, a reviewer and a superuser."""
    rights = {"author": CONTRIBUTOR_RIGHTS, "reviewer": ADMIN_RIGHTS, "boss": SUPERUSER_RIGHTS}
    return {name: Actor(f"urn:fsp:person:{name}", frozenset(held)) for name, held in rights.items()}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests that need it."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Libraries:
    """Patterns to copy."""
    return Libraries(tmp_path_factory.mktemp("libraries"))


@pytest.fixture(params=KINDS)
async def work(
    request: pytest.FixtureRequest, tmp_path: Path, libraries: Libraries
) -> AsyncIterator[Any]:  # Any: either unit of work
    """An empty library in memory, in a migrated SQLite file, and in a migrated PostgreSQL database."""
    if request.param == "memory":
        yield MemoryUnitOfWork()
        return
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    database = await (libraries.sqlite(tmp_path) if server is None else libraries.postgres(server))
    yield SqlUnitOfWork(database)
    await database.close()
