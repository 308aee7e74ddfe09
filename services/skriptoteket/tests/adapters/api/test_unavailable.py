"""What is down for a moment is told with a code and the time to wait."""

import sqlite3

import pytest
from httpx import AsyncClient
from sqlalchemy.exc import OperationalError

from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.db.unit_of_work import SqlUnit, SqlUnitOfWork
from skriptoteket.core.errors import StorageUnavailable

from .test_runs import CSV, RUNS, submitted


async def test_files_that_cannot_be_kept(
    client: AsyncClient, library: SqlUnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 names the storage and when to come back, no run is left; afterwards the same submission is taken."""

    async def refused(*_: object) -> None:
        raise StorageUnavailable("write")

    with monkeypatch.context() as down:
        down.setattr(BlobArtifactStore, "write", refused)
        answer = await client.post(RUNS, files=CSV)
    told = answer.json()
    assert (answer.status_code, told["code"], answer.headers["retry-after"]) == (503, "STORAGE_UNAVAILABLE", "10")
    assert (await client.get("/api/v1/runs")).json()["items"] == []
    await submitted(client)


async def test_a_database_that_gives_no_lock(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with the time to wait, where SQLite says that somebody else writes; afterwards it is taken."""

    def locked(*_: object) -> None:
        raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))

    with monkeypatch.context() as busy:
        busy.setattr(SqlUnit, "__init__", locked)
        answer = await client.post("/api/v1/admin/tools", json={"title": "Counter"})
    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_BUSY")
    assert answer.headers["retry-after"] == "2"
    assert (await client.post("/api/v1/admin/tools", json={"title": "Counter"})).status_code == 201
