"""Whoever writes to the database changes the log: server and stand-alone verifier name the same place (attack 40)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from au_sys_identity.adapters.crypto.head_signer import HeadKeys
from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.witnesses.file import FileWitness
from au_sys_identity.core.audit.checking import Report
from au_sys_identity.core.audit.keeping import Keeping
from au_sys_identity.core.audit.models import Wanted
from au_sys_identity.core.audit.reading import Audit
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.audit.tree import Frontier, leaf_hash
from au_sys_identity.core.events import Fact
from au_sys_identity.manifest.plugin import MIGRATIONS
from au_sys_identity.verify import check_bundle
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import PostgresServer, postgres_server

EVENTS = 21
ANN = "urn:au:user:01900000-0000-7000-8000-000000000001"


@dataclass
class Log:
    """A log of 21 events with heads at 5, 12 and 20, and a witness of them."""

    database: Database
    audit: Audit
    witness: Path
    folder: Path
    keeping: Keeping

    async def note_something(self) -> None:
        """One more event, with a head over it."""
        await self.audit.note("urn:au:system:test", "audit.read", {})
        await self.audit.latest_head()

    async def sql(self, *statements: str, **values: object) -> None:
        """Write as the owner of the database: guards are taken off first."""
        async with self.database.session(write=True) as session, session.begin():
            for table in ("audit_events", "audit_index", "audit_leaves", "audit_nodes", "audit_heads"):
                if self.database.dialect == "sqlite":
                    for verb in ("update", "delete"):
                        await session.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}"))
                else:
                    await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            for statement in statements:
                await session.execute(text(statement), values)

    async def both(self) -> tuple[Report, Report]:
        """What the server finds, and what the verifier finds in an export."""
        found = (await self.audit.verify()).report
        bundle = self.folder / "bundle.ndjson"
        bundle.write_text("".join([line async for line in self.audit.export()]))
        return found, await asyncio.to_thread(check_bundle, bundle, witness=self.witness)

    async def agreed(self) -> Report:
        """What both say."""
        server, verifier = await self.both()
        assert [(one.kind, one.leaf_index, one.last_good_size) for one in server.findings] == [
            (one.kind, one.leaf_index, one.last_good_size) for one in verifier.findings
        ]
        return server


async def make(database: Database, folder: Path) -> Log:
    """Fill a log."""
    await database.migrate(MIGRATIONS)
    root, clock = RootKey(bytes(range(32))), TurnedClock()
    transactions = SqlTransactions(database, PersonalKeys(root))
    witness = FileWitness(folder / "heads")
    signer = HeadKeys(transactions, root, clock)
    sequencing = Sequencing(transactions, signer, [witness], clock, head_every=timedelta(seconds=60))
    audit = Audit(transactions, sequencing, signer, [witness], clock)
    for number in range(EVENTS):
        async with transactions.writing() as unit:
            unit.record(Fact("role.granted", "urn:au:system:test", ANN, details={"role": f"role {number}"}))
        if number + 1 in (5, 12, 20):
            await sequencing.place_all()
            await sequencing.sign_now()
            await sequencing.run()
            clock.turn(seconds=1)
    await sequencing.place_all()
    clock.turn(seconds=1)

    def in_a_while() -> datetime:
        return datetime.now(UTC) + timedelta(days=60)

    return Log(database, audit, folder / "heads", folder, Keeping(transactions, sequencing, in_a_while))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    """On both databases."""
    url = f"sqlite:///{tmp_path}/identity.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("server")
        url = server.database(f"audit_{abs(hash(request.node.name)) % 10**9}")
    database = Database("identity", url)
    yield await make(database, tmp_path)
    await database.close()


async def test_an_untouched_log_is_sound(log: Log) -> None:
    """Nothing is found, and the last head covers what it should."""
    report = await log.agreed()
    assert (report.ok, report.leaves, report.last_good_size) == (True, EVENTS, 20)


@pytest.mark.parametrize("table", ["audit_events", "audit_index", "audit_leaves", "audit_nodes", "audit_heads"])
async def test_the_product_cannot_change_the_log(log: Log, table: str) -> None:
    """Updates and deletions are refused by the database itself."""
    column = {"audit_events": "body", "audit_index": "action", "audit_heads": "key_id"}.get(table)
    statements = [f"DELETE FROM {table}"]
    if column:
        statements.append(f"UPDATE {table} SET {column} = 'x'")
    for statement in statements:
        with pytest.raises(Exception, match="insert-only"):
            async with log.database.session(write=True) as session, session.begin():
                await session.execute(text(statement))


async def test_what_was_dropped_on_purpose_is_no_finding(log: Log) -> None:
    """Old events go when the log tells so itself; one more than it tells is missing, for server and verifier alike."""
    assert await log.keeping.drop(days=30) == EVENTS
    report = await log.agreed()
    assert (report.ok, report.leaves, report.last_good_size) == (True, EVENTS + 1, 20)
    assert [shown.members["action"] for shown in await log.audit.find(Wanted())] == ["audit.dropped"]
    await log.note_something()
    await log.sql(f"DELETE FROM audit_events WHERE id = {EVENT.format(EVENTS)}")
    found = (await log.agreed()).findings
    assert [(one.kind, one.leaf_index) for one in found] == [("missing", 0)]


EVENT = "(SELECT event_id FROM audit_leaves WHERE leaf_index = {})"
ALTERED = "UPDATE audit_events SET body = replace(body, 'role.granted', 'role.withdrawn') WHERE id = " + EVENT
SWAPPED = (
    "UPDATE audit_leaves SET leaf_index = 1000 WHERE leaf_index = {0}",
    "UPDATE audit_leaves SET leaf_index = {0} WHERE leaf_index = {1}",
    "UPDATE audit_leaves SET leaf_index = {1} WHERE leaf_index = 1000",
)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param((ALTERED.format(7),), ("altered", 7, 5), id="an event altered"),
        pytest.param((ALTERED.format(0),), ("altered", 0, 0), id="the first event altered"),
        pytest.param((ALTERED.format(EVENTS - 1),), ("altered", EVENTS - 1, 20), id="the last event altered"),
        pytest.param(
            (f"DELETE FROM audit_events WHERE id = {EVENT.format(9)}",), ("missing", 9, 5), id="an event deleted"
        ),
        pytest.param(("DELETE FROM audit_leaves WHERE leaf_index = 9",), ("gap", 9, 5), id="a leaf deleted"),
        pytest.param(("DELETE FROM audit_leaves WHERE leaf_index >= 14",), ("truncated", 14, 12), id="the end cut off"),
        pytest.param(tuple(one.format(6, 13) for one in SWAPPED), ("reordered", 6, 5), id="two leaves swapped"),
        pytest.param(tuple(one.format(6, 7) for one in SWAPPED), ("reordered", 6, 5), id="neighbours swapped"),
        pytest.param(
            ("DELETE FROM audit_nodes WHERE level = 1 AND position = 4",), ("missing", 8, 5), id="a node gone"
        ),
        pytest.param(
            ("DELETE FROM audit_leaves WHERE leaf_index >= 14", "DELETE FROM audit_heads WHERE tree_size = 20"),
            ("truncated", 14, 12),
            id="the end and its head cut off",
        ),
        pytest.param(
            (
                "UPDATE audit_heads SET root_hash = "
                "(SELECT root_hash FROM audit_heads WHERE tree_size = 5) WHERE tree_size = 12",
            ),
            ("head-forged", 12, 12),
            id="a head altered",
        ),
    ],
)
async def test_a_defect_is_named(log: Log, statements: tuple[str, ...], expected: tuple[str, int, int]) -> None:
    """Kind, first bad leaf and the last good head are told alike."""
    await log.sql(*statements)
    report = await log.agreed()
    first = report.findings[0]
    assert (first.kind, first.leaf_index, first.last_good_size) == expected


async def test_two_events_swapped_between_their_leaves(log: Log) -> None:
    """The rows that lead from a leaf to its event are exchanged."""
    await log.sql(
        "UPDATE audit_leaves SET event_id = :spare WHERE leaf_index = 6".replace(":spare", "'" + "f" * 32 + "'"),
        f"UPDATE audit_leaves SET event_id = {_unplaced()} WHERE leaf_index = 13",
        f"UPDATE audit_leaves SET event_id = {_unplaced()} WHERE leaf_index = 6",
    )
    report = await log.agreed()
    assert [(one.kind, one.leaf_index) for one in report.findings] == [("reordered", 6), ("reordered", 13)]


def _unplaced() -> str:
    return "(SELECT id FROM audit_events WHERE id NOT IN (SELECT event_id FROM audit_leaves) ORDER BY id LIMIT 1)"


async def test_a_tree_recomputed_without_the_key(log: Log) -> None:
    """An event is altered and everything above it made to fit; the heads tell, and they cannot be signed anew."""
    await log.sql(ALTERED.format(7))
    async with log.database.session() as session:
        rows = (
            await session.execute(
                text(
                    "SELECT leaf_index, body FROM audit_leaves "
                    "JOIN audit_events ON audit_events.id = event_id ORDER BY 1"
                )
            )
        ).all()
    frontier, nodes = Frontier(), list[tuple[int, int, bytes]]()
    roots: dict[int, bytes] = {}
    for index, body in rows:
        made = leaf_hash(body.encode())
        nodes.append((0, index, made))
        nodes.extend((level, position, value) for (level, position), value in frontier.append(made))
        roots[index + 1] = frontier.root()
    for level, position, value in nodes:
        table, where = ("audit_nodes", "level = :level AND position = :position")
        if level:
            await log.sql(
                f"UPDATE {table} SET hash = :value WHERE {where}", level=level, position=position, value=value
            )
        else:
            await log.sql(
                "UPDATE audit_leaves SET leaf_hash = :value WHERE leaf_index = :position",
                position=position,
                value=value,
            )
    report = await log.agreed()
    assert [(one.kind, one.leaf_index, one.last_good_size) for one in report.findings] == [("altered", 5, 5)]
    for size in (12, 20):
        await log.sql("UPDATE audit_heads SET root_hash = :root WHERE tree_size = :size", root=roots[size], size=size)
    report = await log.agreed()
    assert {(one.kind, one.leaf_index) for one in report.findings} == {
        ("altered", 5),
        ("head-forged", 12),
        ("head-forged", 20),
    }


async def test_a_key_of_the_attacker_does_not_count(log: Log) -> None:
    """A public key whose private half does not open with the root key signs nothing."""
    await log.sql("UPDATE audit_keys SET public_key = :key", key=bytes(range(32)))
    report = (await log.audit.verify()).report
    assert {one.kind for one in report.findings} == {"head-forged"}


async def test_an_event_that_nobody_placed_is_listed(log: Log) -> None:
    """A row that was slipped in without a place in the tree is told with its age, after it was sequenced or not."""
    async with log.database.session(write=True) as session, session.begin():
        await session.execute(
            text("INSERT INTO audit_events (id, at, body) SELECT :id, at, body FROM audit_events LIMIT 1"),
            {
                "id": "00000000000070008000000000000000"
                if log.database.dialect == "sqlite"
                else "00000000-0000-7000-8000-000000000000"
            },
        )
    verdict = await log.audit.verify()
    assert verdict.report.leaves == EVENTS + 1


async def test_text_in_an_event_stays_text(log: Log) -> None:
    """Line ends and control characters in a field cannot make a second entry."""
    nasty = 'x"}\n{"action":"audit.read"'
    async with log.audit._transactions.writing() as unit:
        unit.record(Fact("role.granted", "urn:au:system:test", ANN, reason=nasty))
    server, verifier = await log.both()
    assert (server.leaves, verifier.leaves, server.ok, verifier.ok) == (EVENTS + 1, EVENTS + 1, True, True)
