"""The Alembic history."""

from pathlib import Path

from sqlalchemy import inspect

from au_sys_identity.adapters.db.tables import metadata
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database


async def _tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda plain: inspect(plain).get_table_names()))


async def test_the_history_makes_what_the_code_declares(tmp_path: Path) -> None:
    """After the upgrade the database has exactly the declared tables, columns and indexes."""
    database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
    await database.migrate(MIGRATIONS)

    def differences(plain: object) -> list[object]:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext
        from sqlalchemy import Connection

        assert isinstance(plain, Connection)
        own = set(metadata.tables)
        options = {"include_name": lambda name, kind, _parents: kind != "table" or name in own}
        return list(compare_metadata(MigrationContext.configure(plain, opts=options), metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert set(metadata.tables) <= await _tables(database)
    await database.close()
