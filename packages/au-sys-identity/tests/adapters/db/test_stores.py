"""SQL stores against the conformance suites."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.conformance.stores import StoreConformance
from au_sys_identity.core.events import Fact
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database


class Kept:
    """An audit log in a list."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    async def append(self, fact: Fact) -> None:
        self.facts.append(fact)


class TestSqlite(StoreConformance):
    """A real file, brought to its head by the real migrations."""

    @pytest.fixture
    async def transactions(self, tmp_path: Path) -> AsyncIterator[SqlTransactions]:
        database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
        await database.migrate(MIGRATIONS)
        yield SqlTransactions(database, Kept())
        await database.close()


async def test_facts_about_subjects_are_published_with_their_change(tmp_path: Path) -> None:
    """What came true reaches other capabilities through the outbox; refusals and sign-ins do not."""
    from au_sys_identity.conformance.stores import a_person

    database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
    await database.migrate(MIGRATIONS)
    ann = a_person()
    async with SqlTransactions(database, Kept()).writing() as unit:
        await unit.subjects.add(ann)
        unit.record(Fact("subject.created", ann.urn, ann.urn))
        unit.record(Fact("role.granted", "urn:au:system:x", ann.urn, details={"role": "reader"}))
        unit.record(Fact("subject.created", ann.urn, ann.urn, "denied"))
        unit.record(Fact("session.started", ann.urn, ann.urn))
    async with database.session() as session:
        rows = (await session.execute(text("SELECT name, key, data FROM identity_events ORDER BY sequence"))).all()
    await database.close()
    assert [(row.name, row.key) for row in rows] == [("subject.created", ann.urn), ("role.granted", ann.urn)]
    assert json.loads(rows[1].data) == {"actor": "urn:au:system:x", "role": "reader"}


async def test_an_essential_fact_that_cannot_be_kept_undoes_the_change(tmp_path: Path) -> None:
    """When the audit trail refuses, the change is rolled back."""
    from au_sys_identity.conformance.stores import a_person

    class Refusing:
        async def append(self, fact: Fact) -> None:
            raise OSError("full")

    database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
    await database.migrate(MIGRATIONS)
    transactions = SqlTransactions(database, Refusing())
    ann = a_person()

    async def change() -> None:
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            unit.record(Fact("subject.created", ann.urn, ann.urn))

    with pytest.raises(OSError, match="full"):
        await change()
    async with transactions.reading() as unit:
        assert await unit.subjects.get(ann.id) is None
    await database.close()
