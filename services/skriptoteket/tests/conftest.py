"""A library over every kind of store, with a clock that stands still and three people."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fastapi_services_platform import Database
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.adapters.memory.unit_of_work import MemoryUnitOfWork
from skriptoteket.core.roles import ADMIN_RIGHTS, CONTRIBUTOR_RIGHTS, SUPERUSER_RIGHTS, Actor
from skriptoteket.manifest.plugin import MIGRATIONS

AUTHOR = Actor("urn:fsp:person:author", frozenset(CONTRIBUTOR_RIGHTS))
REVIEWER = Actor("urn:fsp:person:reviewer", frozenset(ADMIN_RIGHTS))
BOSS = Actor("urn:fsp:person:boss", frozenset(SUPERUSER_RIGHTS))


class StandingClock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The time of the test."""
        return self.at

    def pass_(self, **how_long: float) -> None:
        """Let time pass."""
        self.at += timedelta(**how_long)


@pytest.fixture
def clock() -> StandingClock:
    """A clock that stands still."""
    return StandingClock()


@pytest.fixture
def people() -> dict[str, Actor]:
    """An author, a reviewer and a superuser."""
    return {"author": AUTHOR, "reviewer": REVIEWER, "boss": BOSS}


@pytest.fixture(params=["memory", "sqlite"])
async def work(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:  # Any: either unit of work
    """An empty library in memory, and in a migrated SQLite file."""
    if request.param == "memory":
        yield MemoryUnitOfWork()
        return
    database = Database("skriptoteket", f"sqlite+aiosqlite:///{tmp_path}/library.db")
    await database.migrate(MIGRATIONS)
    yield SqlUnitOfWork(database)
    await database.close()
