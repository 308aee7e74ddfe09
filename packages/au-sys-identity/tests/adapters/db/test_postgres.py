"""SQL stores and history on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.ownership import rights_of
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.tables.audit import INSERT_ONLY
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.conformance.samples import NOW, a_person, a_session, kept
from au_sys_identity.conformance.stores import StoreConformance
from au_sys_identity.core.events import Fact
from au_sys_identity.core.sessions.models import RefreshToken
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.needs_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
async def transactions(server: PostgresServer) -> AsyncIterator[SqlTransactions]:
    database = Database("identity", server.database("identity_stores"))
    await database.migrate(MIGRATIONS)
    yield SqlTransactions(database, PersonalKeys(RootKey(bytes(range(32)))))
    await database.close()


class TestPostgres(StoreConformance):
    """A real server, brought to its head by the real migrations."""


async def test_of_concurrent_rotations_one_wins(transactions: SqlTransactions) -> None:
    """Ten transactions that rotate the same generation at once leave one head."""
    ann = await kept(transactions, a_person())
    session = a_session(ann)
    head = RefreshToken(session.id, 0, b"0" * 32, NOW)
    async with transactions.writing() as unit:
        await unit.sessions.add(session)
        await unit.sessions.add_refresh(head)

    async def rotate(number: int) -> bool:
        successor = RefreshToken(session.id, 1, bytes([number]) * 32, NOW)
        async with transactions.writing() as unit:
            return await unit.sessions.rotate(head, successor, at=NOW)

    won = await asyncio.gather(*(rotate(number) for number in range(1, 11)))
    assert sorted(won) == [False] * 9 + [True]


async def test_a_platform_that_owns_nothing_only_adds_to_the_log(server: PostgresServer) -> None:
    """With the rights that an owner grants everything works, and the log is not changed even without its guards."""
    url = server.database("identity_owned")
    owner = Database("identity", url)
    await owner.migrate(MIGRATIONS)
    async with owner.session(write=True) as session, session.begin():
        await session.execute(text("DROP ROLE IF EXISTS modest"))
        await session.execute(text("CREATE ROLE modest LOGIN PASSWORD 'modest'"))
        for statement in rights_of("modest"):
            await session.execute(text(statement))
        for table in INSERT_ONLY:
            await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
    parts = urlsplit(url)
    modest = Database("identity", parts._replace(netloc=f"modest:modest@{parts.netloc.rpartition('@')[2]}").geturl())
    transactions = SqlTransactions(modest, PersonalKeys(RootKey(bytes(range(32)))))
    ann = await kept(transactions, a_person())
    async with transactions.writing() as unit:
        unit.record(Fact("subject.created", ann.urn, ann.urn))
    for verb in ("DELETE FROM audit_events", "UPDATE audit_events SET body = 'x'", "TRUNCATE audit_leaves"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with modest.session(write=True) as session, session.begin():
                await session.execute(text(verb))
    async with owner.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM audit_events"))).scalar() == 1
    await modest.close()
    await owner.close()
