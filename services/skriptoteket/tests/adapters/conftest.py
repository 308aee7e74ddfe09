"""A library for each test, and its database seen from beside."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from fastapi_services_platform import open_database
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.adapters.db.unit_of_work import SqlUnitOfWork
from skriptoteket.core.roles import AUTHOR_ANY, OPERATE

from .serving import WORKER, Served, served


@pytest.fixture
def denied() -> frozenset[str]:
    """What nobody may: Anna is no operator, and writes only what she maintains."""
    return frozenset({AUTHOR_ANY, OPERATE})


@pytest.fixture
async def client(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, denied: frozenset[str]) -> Served:
    """A client of a library of its own; it begins with the data of one in which what ships is installed already."""
    furnished = tmp_path_factory.getbasetemp() / "furnished"
    if not furnished.exists():
        async with served(furnished, denied):
            pass
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    async with served(tmp_path, denied) as found:
        yield found


@pytest.fixture
async def library(client: AsyncClient, tmp_path: Path) -> AsyncIterator[SqlUnitOfWork]:
    """The same database, seen from beside, with a live worker in it."""
    database = open_database("skriptoteket", settings_for(tmp_path))
    work = SqlUnitOfWork(database)
    async with work.write() as unit:
        await unit.workers.save(WORKER)
    yield work
    await database.close()
