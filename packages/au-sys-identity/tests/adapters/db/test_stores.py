"""SQL stores against the conformance suites."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.conformance.stores import StoreConformance
from au_sys_identity.core.events import Fact
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database

KEYS = PersonalKeys(RootKey(bytes(range(32))))


class TestSqlite(StoreConformance):
    """A real file, brought to its head by the real migrations."""

    @pytest.fixture
    async def transactions(self, tmp_path: Path) -> AsyncIterator[SqlTransactions]:
        database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
        await database.migrate(MIGRATIONS)
        yield SqlTransactions(database, KEYS)
        await database.close()


async def test_facts_about_subjects_are_published_with_their_change(tmp_path: Path) -> None:
    """What came true reaches other capabilities through the outbox; refusals and sign-ins do not."""
    from au_sys_identity.conformance.samples import a_person

    database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
    await database.migrate(MIGRATIONS)
    ann = a_person()
    async with SqlTransactions(database, KEYS).writing() as unit:
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


async def test_a_change_whose_event_cannot_be_written_is_not_made(tmp_path: Path) -> None:
    """No event, no change: also a sign-in is rolled back when the log is full."""
    from au_sys_identity.conformance.samples import a_person

    database = Database("identity", f"sqlite:///{tmp_path}/identity.db")
    await database.migrate(MIGRATIONS)
    async with database.session(write=True) as session, session.begin():
        await session.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        )
    transactions = SqlTransactions(database, KEYS)
    ann = a_person()

    async def change() -> None:
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            unit.record(Fact("session.started", ann.urn, ann.urn))

    with pytest.raises(IntegrityError, match="full"):
        await change()
    async with transactions.reading() as unit:
        assert await unit.subjects.get(ann.id) is None
    await database.close()
