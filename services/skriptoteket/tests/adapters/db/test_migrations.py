"""The schema's history."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from fastapi_services_platform import Database
from fastapi_services_platform.persistence.migrations import downgrade, drift, upgrade
from skriptoteket.adapters.db.tables import metadata
from skriptoteket.manifest.plugin import MIGRATIONS


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path}/library.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database("skriptoteket_history")
    found = Database("skriptoteket", url)
    yield found
    await found.close()


async def test_up_down_up(database: Database) -> None:
    """Up, down to nothing, up again; the tables are what the metadata says."""
    for _ in range(2):
        await upgrade(database, MIGRATIONS)
        assert await drift(database, MIGRATIONS) == []
        await downgrade(database, MIGRATIONS, "base")


def test_no_time_default_in_the_database() -> None:
    """Every timestamp is the application's."""
    assert [column.name for table in metadata.tables.values() for column in table.c if column.server_default] == []


async def test_history_never_changes(tmp_path: Path) -> None:
    """Triggers refuse to change the behaviour of a version and to touch a decision."""
    database = Database("skriptoteket", f"sqlite:///{tmp_path}/library.db")
    await upgrade(database, MIGRATIONS)
    now = "2026-01-01 00:00:00"
    async with database.session(write=True) as session:
        await session.execute(text("PRAGMA foreign_keys=OFF"))
        columns = (
            "id,tool_id,version_number,state,source_code,entrypoint,contract,environment,idempotent,input_schema,"
            "settings_schema,usage_instructions,requirements,limits,content_hash,behaviour_hash,created_by,created_at,"
            "change_summary,submit_note"
        )
        await session.execute(
            text("INSERT INTO tools VALUES ('t','s','T','','','','o',0,NULL,NULL,NULL,NULL,NULL,:n,:n)"), {"n": now}
        )
        values = "'v','t',1,'draft','x','r',1,'e',0,'[]','[]','','[]','{}','h','h','a',:n,'',''"
        await session.execute(text(f"INSERT INTO tool_versions ({columns}) VALUES ({values})"), {"n": now})
        await session.execute(
            text("INSERT INTO version_decisions VALUES ('d','v','t','publish','r','b',:n,'h',NULL)"), {"n": now}
        )
        await session.execute(text("UPDATE tool_versions SET state='in_review'"))
        for statement in (
            "UPDATE tool_versions SET source_code='y'",
            "UPDATE tool_versions SET created_by='somebody else'",
            "UPDATE version_decisions SET rationale='z'",
            "UPDATE version_decisions SET decided_by='somebody else'",
            "DELETE FROM version_decisions",
        ):
            with pytest.raises(IntegrityError):
                await session.execute(text(statement))
        for column in ("tool_versions SET created_by", "version_decisions SET decided_by"):
            await session.execute(text(f"UPDATE {column}='urn:fsp:erased:1'"))
    await database.close()
