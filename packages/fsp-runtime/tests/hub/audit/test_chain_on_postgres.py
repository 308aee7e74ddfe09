"""The hash chain on a real PostgreSQL: many writers, several nodes, no change through the front door."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fastapi_services_platform import AuditEvent, Database, Migrations
from fastapi_services_platform.hub.audit.chain import HashChainTrail
from fastapi_services_platform.hub.audit.tables import metadata
from fastapi_services_platform.observability.audit import ChainVerdict
from fastapi_services_platform.persistence.migrations import downgrade, drift
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.needs_postgres

MIGRATIONS = Migrations("fastapi_services_platform.hub.migrations", metadata)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
async def database(server: PostgresServer) -> AsyncIterator[Database]:
    opened = Database("hub", server.database("hub_audit"))
    await opened.migrate(MIGRATIONS)
    yield opened
    await opened.close()


async def test_many_writers_make_one_chain(database: Database) -> None:
    """Two nodes that record at the same time make one chain without gaps."""
    other = Database("hub", database.url.render_as_string(hide_password=False))
    trails = (HashChainTrail(database), HashChainTrail(other))
    events = [AuditEvent("a.done", f"urn:{number}") for number in range(30)]
    await asyncio.gather(*(trails[number % 2].record(event) for number, event in enumerate(events)))
    await other.close()
    assert await trails[0].verify() == ChainVerdict(30)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
)
async def test_the_table_itself_refuses_changes(database: Database, statement: str) -> None:
    """An entry can be neither changed nor removed through the database's front door."""
    await HashChainTrail(database).record(AuditEvent("a.done", "urn:ada"))
    with pytest.raises(DBAPIError, match="append only"):
        async with database.transaction() as session:
            await session.execute(text(statement))


async def test_tampering_is_found(database: Database) -> None:
    """Whoever takes the guards off and changes an entry is found at its place."""
    trail = HashChainTrail(database)
    for number in range(3):
        await trail.record(AuditEvent("a.done", f"urn:{number}"))
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        await session.execute(
            text("UPDATE audit_entries SET body = replace(body, 'urn:1', 'urn:9') WHERE sequence = 2")
        )
    verdict = await trail.verify()
    assert (verdict.first_wrong, verdict.reason) == (2, "its content was changed")


async def test_migration_goes_up_and_down(database: Database) -> None:
    """The migration makes exactly the tables of the metadata, and can be taken back."""
    assert await drift(database, MIGRATIONS) == []
    await downgrade(database, MIGRATIONS, "base")
    await database.migrate(MIGRATIONS)
    assert await HashChainTrail(database).verify() == ChainVerdict(0)
