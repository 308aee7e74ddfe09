"""A library over every kind of store, with a clock that stands still and three people."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.memory.standing_clock import StandingClock
from skriptoteket.adapters.memory.unit_of_work import MemoryUnitOfWork
from skriptoteket.core.roles import ADMIN_RIGHTS, AUTHOR_ANY, CONTRIBUTOR_RIGHTS, OPERATE, SUPERUSER_RIGHTS, Actor
from skriptoteket.manifest.plugin import MIGRATIONS

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


@pytest.fixture
def denied() -> frozenset[str]:
    """What nobody may: Anna is no operator, and writes only what she maintains."""
    return frozenset({AUTHOR_ANY, OPERATE})


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests that need it."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=KINDS)
async def work(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:  # Any: either unit of work
    """An empty library in memory, in a migrated SQLite file, and in a migrated PostgreSQL database."""
    if request.param == "memory":
        yield MemoryUnitOfWork()
        return
    url = f"sqlite:///{tmp_path}/library.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database("skriptoteket_test")
    database = Database("skriptoteket", url)
    await database.migrate(MIGRATIONS)
    yield SqlUnitOfWork(database)
    await database.close()
