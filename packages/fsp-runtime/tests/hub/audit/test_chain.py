"""The hash-chained trail: what is recorded stays, and every tampering is found at its place."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from fastapi_services_platform import AuditEvent, Database, Migrations
from fastapi_services_platform.hub.audit.chain import HashChainTrail
from fastapi_services_platform.hub.audit.tables import metadata
from fastapi_services_platform.observability.audit import ChainVerdict
from fastapi_services_platform.persistence.migrations import downgrade, drift

MIGRATIONS = Migrations("fastapi_services_platform.hub.migrations", metadata)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database("hub", f"sqlite:///{tmp_path}/hub.db")
    await opened.migrate(MIGRATIONS)
    yield opened
    await opened.close()


async def filled(database: Database, count: int = 3) -> HashChainTrail:
    trail = HashChainTrail(database)
    for number in range(count):
        await trail.record(AuditEvent("role.granted", "urn:ada", f"role:{number}", details={"n": number}))
    return trail


async def tamper(database: Database, statement: str) -> None:
    """What an intruder with the database file can do: drop the guards, then change rows."""
    async with database.transaction() as session:
        for verb in ("update", "delete"):
            await session.execute(text(f"DROP TRIGGER IF EXISTS audit_entries_{verb}"))
        await session.execute(text(statement))


async def test_entries_come_back_newest_first(database: Database) -> None:
    """The tail gives what was recorded, page by page."""
    trail = await filled(database, 5)
    first = await trail.tail(limit=2)
    second = await trail.tail(limit=2, before=first[-1].sequence)
    assert [entry.sequence for entry in [*first, *second]] == [5, 4, 3, 2]
    assert (first[0].details, first[0].resource) == ({"n": 4}, "role:4")


async def test_the_tail_is_searched_by_actor_and_action(database: Database) -> None:
    """Only entries of the actor and of the kind of action are given; wildcards mean themselves."""
    trail = await filled(database)
    await trail.record(AuditEvent("tool.run", "urn:alan"))
    assert [entry.action for entry in await trail.tail(actor="urn:alan")] == ["tool.run"]
    assert [entry.action for entry in await trail.tail(action="tool.")] == ["tool.run"]
    assert await trail.tail(action="%") == []


async def test_an_untouched_trail_is_unbroken(database: Database) -> None:
    """Verification computes every digest anew."""
    assert await (await filled(database)).verify() == ChainVerdict(3)


async def test_an_empty_trail_is_unbroken(database: Database) -> None:
    """Nothing recorded is nothing wrong."""
    assert await HashChainTrail(database).verify() == ChainVerdict(0)


@pytest.mark.parametrize(
    ("statement", "wrong", "reason"),
    [
        ("UPDATE audit_entries SET body = replace(body, 'ada', 'eve') WHERE sequence = 2", 2, "content was changed"),
        ("UPDATE audit_entries SET actor = 'urn:eve' WHERE sequence = 1", 1, "search columns were changed"),
        ("DELETE FROM audit_entries WHERE sequence = 2", 2, "missing"),
        ("DELETE FROM audit_entries WHERE sequence = 3", 3, "at the end are missing"),
        ("UPDATE audit_entries SET previous = digest WHERE sequence = 3", 3, "does not follow"),
    ],
)
async def test_tampering_is_found_at_its_place(database: Database, statement: str, wrong: int, reason: str) -> None:
    """The first wrong entry is named with what is wrong about it."""
    trail = await filled(database)
    await tamper(database, statement)
    verdict = await trail.verify()
    assert (verdict.first_wrong, reason in verdict.reason) == (wrong, True)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"])
async def test_the_table_itself_refuses_changes(database: Database, statement: str) -> None:
    """An entry can be neither changed nor removed through the database's front door."""
    await filled(database, 1)
    with pytest.raises(DatabaseError, match="append only"):
        async with database.transaction() as session:
            await session.execute(text(statement))


async def test_many_writers_make_one_chain(database: Database) -> None:
    """Events recorded at the same time are numbered without gaps and without a break."""
    trail = HashChainTrail(database)
    await asyncio.gather(*(trail.record(AuditEvent("a.done", f"urn:{number}")) for number in range(20)))
    assert await trail.verify() == ChainVerdict(20)


async def test_migration_goes_up_and_down(database: Database) -> None:
    """The migration makes exactly the tables of the metadata, and can be taken back."""
    assert await drift(database, MIGRATIONS) == []
    await downgrade(database, MIGRATIONS, "base")
    await database.migrate(MIGRATIONS)
    assert await HashChainTrail(database).verify() == ChainVerdict(0)
