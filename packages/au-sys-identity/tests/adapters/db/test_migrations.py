"""The Alembic history."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from httpx import AsyncClient
from sqlalchemy import Connection, inspect, text

from au_sys_identity.adapters.db.evidence.archives import archived
from au_sys_identity.adapters.db.tables import metadata
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database
from fastapi_services_platform.persistence.migrations import downgrade, upgrade, versions_folder
from fastapi_services_platform.testing.postgres import postgres_server

pytestmark = pytest.mark.real_migrations
Start = Callable[..., AbstractAsyncContextManager[AsyncClient]]
TOKEN = "a bootstrap token of this test"
FIRST_WITH_ARCHIVES = "0011"
ADMIN = {"email": "root@example.org", "password": "correct horse battery staple"}


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

        assert isinstance(plain, Connection)
        own = set(metadata.tables)
        options = {"include_name": lambda name, kind, _parents: kind != "table" or name in own}
        return list(compare_metadata(MigrationContext.configure(plain, opts=options), MIGRATIONS.tables))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert set(metadata.tables) <= await _tables(database)
    await database.close()


async def test_archives_of_older_schemas_can_be_read(tmp_path: Path) -> None:
    """Since there are archives, the schema only gained tables, and columns that fill themselves: an older archive is
    restored by leaving them out. A revision that does more has to bring its archives along, and changes this test.
    """
    database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
    await upgrade(database, MIGRATIONS, FIRST_WITH_ARCHIVES)

    def columns(plain: Connection) -> dict[str, set[str]]:
        seen = inspect(plain)
        return {name: {one["name"] for one in seen.get_columns(name)} for name in seen.get_table_names()}

    async with database.engine.connect() as connection:
        older = await connection.run_sync(columns)
    await database.close()
    tables = {table.name: table for table in archived(include_audit=True)}
    lost = {name: older[name] - set(table.c.keys()) for name, table in tables.items() if name in older}
    added = [
        column for name, table in tables.items() for column in table.c if column.name not in older.get(name, set())
    ]
    empty = [str(one) for one in added if one.table.name in older and not (one.nullable or one.server_default)]
    assert ({name: gone for name, gone in lost.items() if gone}, empty) == ({}, [])
    gone = older.keys() - set(metadata.tables)
    assert {name for name in gone if not name.endswith("alembic_version")} == set()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where a platform and this test find the same database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/identity.db"
        return
    with postgres_server() as server:
        address = server.database("history")
        monkeypatch.setenv("FSP_DATABASE_URL", address)
        yield address


async def kept(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """What every revision has to keep of people and their ways in."""
    queries = {
        "subjects": "SELECT id, urn, name, status, epoch FROM subjects WHERE kind = 'person' ORDER BY urn",
        "persons": "SELECT subject_id, email, email_canonical FROM persons ORDER BY email",
        "passwords": "SELECT subject_id, hash FROM passwords ORDER BY hash",
        "sessions": "SELECT id, subject_id, strength FROM sessions ORDER BY id",
        "refresh_tokens": "SELECT session_id, generation, token_hash FROM refresh_tokens ORDER BY session_id",
        "roles": "SELECT subject, role FROM role_assignments WHERE subject LIKE 'urn:au:user:%' ORDER BY subject",
    }
    async with database.engine.connect() as connection:
        return {name: [tuple(row) for row in await connection.execute(text(query))] for name, query in queries.items()}


async def lived_in(start: Start) -> dict[str, str]:
    """A platform with a row of everything: people, roles, factors, keys, machines, letters; tokens of its first one."""
    async with start(bootstrap_token=TOKEN) as client:
        await client.post("/auth/register", json={**ADMIN, "bootstrap_token": TOKEN})
        await client.post("/auth/register", json={"email": "bob@example.org", "password": ADMIN["password"]})
        tokens: dict[str, str] = (await client.post("/auth/jwt/login", json=ADMIN)).json()
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        account = {"name": "Night", "purpose": "Sends reports"}
        machine = (await client.post("/iam/service-accounts", json=account, headers=bearer)).json()["id"]
        key = {"name": "key", "scopes": ["identity.users.read"]}
        for path in (f"/iam/service-accounts/{machine}/keys", "/auth/api-keys/"):
            assert (await client.post(path, json=key, headers=bearer)).status_code == 201
        role = {"name": "role:porter", "description": "Opens doors", "permissions": ["identity.users.read"]}
        assert (await client.post("/rbac/roles", json=role, headers=bearer)).status_code == 201
        assert (await client.post("/mfa/totp", headers=bearer)).status_code == 201
        await client.post("/auth/magic-link/request", json={"email": "bob@example.org"})
    return tokens


async def test_down_and_up_again_with_data(start: Start, url: str) -> None:
    """Every step back keeps people, passwords, sessions and roles, and the way up again ends in a platform that takes
    the same password and the same refresh token.
    """
    tokens = await lived_in(start)
    database = Database("identity", url)
    before = await kept(database)
    assert min(len(rows) for rows in before.values()) >= 1
    steps = sorted(file.name[:4] for file in versions_folder(MIGRATIONS).glob("0*.py"))
    for revision in reversed(steps[:-1]):
        await downgrade(database, MIGRATIONS, revision)
        assert await kept(database) == before, revision
    await database.migrate(MIGRATIONS)
    assert await kept(database) == before
    await database.close()
    async with start() as client:
        assert (await client.post("/auth/jwt/login", json=ADMIN)).status_code == 200
        refreshed = await client.post("/auth/jwt/refresh", json={"refresh_token": tokens["refresh_token"]})
        bearer = {"authorization": f"Bearer {refreshed.json()['access_token']}"}
        assert (await client.get("/users", headers=bearer)).status_code == 200
