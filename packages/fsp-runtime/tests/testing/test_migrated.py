"""Databases of a run: migrated once, then copied; one PostgreSQL server for all."""

from pathlib import Path

import pytest
from sqlalchemy import text

from fastapi_services_platform import Database, Migrations
from fastapi_services_platform.hub.audit.tables import metadata
from fastapi_services_platform.persistence.migrations import status
from fastapi_services_platform.testing.migrated import Copies
from fastapi_services_platform.testing.postgres import postgres_server

MIGRATIONS = Migrations("fastapi_services_platform.hub.migrations", metadata)


def counting(folder: Path) -> tuple[Copies, list[str]]:
    """Copies in a folder of their own, and whose steps were run on a file that was not there."""
    ran: list[str] = []

    async def steps(database: Database, migrations: object) -> None:
        if not Path(str(database.file)).exists():
            ran.append(str(database.file))
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS made (key TEXT)"))

    return Copies(folder, steps), ran


async def test_the_second_database_is_a_copy(tmp_path: Path) -> None:
    """The steps are run on the first new file; a file that is there, or another name, is migrated as ever."""
    copies, ran = counting(tmp_path / "kept")
    made = [tmp_path / "one" / "hub.db", tmp_path / "two" / "hub.db", tmp_path / "three" / "hub.db"]
    for file in made:
        database = Database("hub", f"sqlite:///{file}")
        await copies.migrate(database, MIGRATIONS)
        await copies.migrate(database, MIGRATIONS)
        async with database.engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM made"))).scalar() == 0
        await database.close()
    other = Database("other", f"sqlite:///{tmp_path}/other.db")
    await copies.migrate(other, MIGRATIONS)
    await other.close()
    assert ran == [str(made[0]), f"{tmp_path}/other.db"]


async def test_a_copy_is_at_its_head(tmp_path: Path) -> None:
    """What the plugin does for every test: two databases of the hub, both as their history says."""
    for number in (1, 2):
        database = Database("hub", f"sqlite:///{tmp_path}/{number}.db")
        await database.migrate(MIGRATIONS)
        assert (await status(database, MIGRATIONS)).at_head
        await database.close()


@pytest.mark.real_migrations
async def test_a_marked_test_runs_every_step(tmp_path: Path, migrated_once: Copies) -> None:
    """Nothing is copied for it."""
    assert migrated_once.off
    database = Database("hub", f"sqlite:///{tmp_path}/hub.db")
    await database.migrate(MIGRATIONS)
    assert (await status(database, MIGRATIONS)).at_head
    await database.close()


@pytest.mark.needs_postgres
def test_one_server_is_everybodys() -> None:
    """Whoever asks for one gets the same, except who wants an own one."""
    with postgres_server() as first, postgres_server() as second, postgres_server(own=True) as own:
        assert first.url == second.url
        assert first.pid == 0 or own.pid != first.pid
