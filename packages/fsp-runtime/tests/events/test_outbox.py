"""Events are kept with the transaction that publishes them and reach every handler, on SQLite and on PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_services_platform import Event, EventHandler, Migrations, Outbox, ReceivedEvent
from fastapi_services_platform.errors import InvalidEvent
from fastapi_services_platform.events.deliveries import Deliveries
from fastapi_services_platform.events.relay import Deliverer, EventRelay
from fastapi_services_platform.persistence import migrations as runs
from fastapi_services_platform.persistence.databases import Database
from fastapi_services_platform.persistence.unit_of_work import in_transaction
from fastapi_services_platform.testing.postgres import NoPostgres, PostgresServer, postgres_server

PUBLISHER = Migrations("history_of_a_publisher", MetaData(), outbox=True)
FIRST = '''"""First."""
revision = "0001"
down_revision = None
def upgrade(): pass
def downgrade(): pass
'''


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as running:
            yield running
    except NoPostgres as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/people.db"
    running: PostgresServer = request.getfixturevalue("server")
    return running.database("people")


@pytest.fixture
async def database(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    versions = tmp_path / "history_of_a_publisher" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").write_text("")
    (versions / "r1.py").write_text(FIRST)
    monkeypatch.syspath_prepend(str(tmp_path))
    opened = Database("people", url)
    await opened.migrate(PUBLISHER)
    yield opened
    await opened.close()


class Reader:
    """A handler that remembers what it saw, and fails when told to."""

    def __init__(self) -> None:
        self.seen: list[ReceivedEvent] = []
        self.fails: set[str] = set()

    async def __call__(self, event: ReceivedEvent) -> None:
        self.seen.append(event)
        if str(event.data.get("n")) in self.fails:
            raise RuntimeError("cannot read this")

    @property
    def numbers(self) -> list[object]:
        return [event.data["n"] for event in self.seen]


async def publish(database: Database, *numbers: int, key: str = "urn:p:1", name: str = "subject.disabled") -> None:
    for number in numbers:
        async with database.transaction() as session:
            await Outbox(database).publish(session, Event(name, key, {"n": number}))


def deliverer(database: Database, reader: Reader, tries: int = 3) -> Deliverer:
    return Deliverer(database, lambda: {"mail.read": EventHandler("read", "subject.disabled", reader, tries)})


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true() and time.monotonic() < deadline:
        await asyncio.sleep(0.02)


async def all_due(database: Database) -> None:
    """Let the pauses of failed deliveries be over."""
    async with database.transaction() as session:
        await session.execute(text("UPDATE people_event_deliveries SET due = 0"))


async def test_an_event_reaches_its_handler_with_everything_it_held(database: Database) -> None:
    """Name, key, data, publisher and id arrive; events of other names do not; nothing is left to do."""
    reader = Reader()
    await publish(database, 1)
    await publish(database, 2, name="role.granted")
    delivers = deliverer(database, reader)
    tried = [await delivers.deliver(), await delivers.deliver()]
    event = reader.seen[0]
    assert tried == [1, 0]
    assert (event.name, event.key, event.data, event.publisher) == ("subject.disabled", "urn:p:1", {"n": 1}, "people")
    assert (event.attempt, len(event.id)) == (1, 32)
    assert [backlog.waiting for backlog in await delivers.rows.backlogs()] == [0]


async def test_a_transaction_that_fails_publishes_nothing(database: Database) -> None:
    """The event is lost with the transaction that it tells of."""

    async def change_and_fail(session: AsyncSession) -> None:
        await Outbox(database).publish(session, Event("subject.disabled", "urn:p:1", {"n": 1}))
        raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await in_transaction(database, change_and_fail)
    assert await deliverer(database, Reader()).deliver() == 0


async def test_events_of_one_key_stay_in_order_and_others_pass(database: Database) -> None:
    """While the first event of a key fails, later ones of the key wait and other keys are served."""
    reader = Reader()
    reader.fails.add("1")
    await publish(database, 1, 2)
    await publish(database, 7, key="urn:p:2")
    delivers = deliverer(database, reader)
    while await delivers.deliver():
        pass
    assert reader.numbers == [1, 7]
    reader.fails.clear()
    await all_due(database)
    while await delivers.deliver():
        pass
    assert reader.numbers == [1, 7, 1, 2]
    assert len({reader.seen[0].id, reader.seen[2].id}) == 1


async def test_what_cannot_be_handled_becomes_a_dead_letter(database: Database) -> None:
    """After its tries an event steps aside for the next one; it can be revived or discarded."""
    reader = Reader()
    reader.fails.add("1")
    await publish(database, 1, 2)
    delivers = deliverer(database, reader, tries=2)
    for _ in range(3):
        while await delivers.deliver():
            pass
        await all_due(database)
    letters = await delivers.rows.dead_letters(10)
    assert reader.numbers == [1, 1, 2]
    assert [(letter.handler, letter.data, letter.tries, letter.error) for letter in letters] == [
        ("mail.read", {"n": 1}, 2, "RuntimeError: cannot read this")
    ]
    reader.fails.clear()
    assert await delivers.rows.revive("mail.read", letters[0].sequence)
    assert not await delivers.rows.discard("mail.read", letters[0].sequence)
    await delivers.deliver()
    assert reader.numbers == [1, 1, 2, 1]
    assert await delivers.rows.dead_letters(10) == []


async def test_a_handler_that_comes_late_is_given_what_is_kept(database: Database) -> None:
    """A new handler begins with the oldest event; one that was away gets what it missed."""
    await publish(database, 1, 2)
    late = Reader()
    delivers = deliverer(database, late)
    while await delivers.deliver():
        pass
    await publish(database, 3)
    while await delivers.deliver():
        pass
    assert late.numbers == [1, 2, 3]


async def test_one_node_delivers_while_another_holds_nothing(database: Database) -> None:
    """A delivery that one node holds is not given to the next, and goes over to it when the lease ends."""
    await publish(database, 1)
    one, two = Deliveries(database), Deliveries(database)
    await one.hand_out({"mail.read": "subject.disabled"})
    held = await one.hold(["mail.read"])
    assert [item.tries for item in held] == [1]
    assert await two.hold(["mail.read"]) == []
    async with database.transaction() as session:
        await session.execute(text("UPDATE people_event_deliveries SET held_until = 1"))
    again = await two.hold(["mail.read"])
    await one.done(held[0])  # too late: it is the other's now
    assert [item.tries for item in again] == [2]
    assert [backlog.waiting for backlog in await two.backlogs()] == [1]
    await two.done(again[0])
    assert [backlog.waiting for backlog in await two.backlogs()] == [0]


async def test_nodes_that_deliver_at_once_deliver_each_event_once_and_in_order(url: str, database: Database) -> None:
    """Three relays share the work of many keys; every key is in order and nothing comes twice."""
    other = [Database("people", url) for _ in range(2)]
    reader = Reader()
    handler = EventHandler("read", "subject.disabled", reader)
    relays = [EventRelay(lambda: [("mail", handler)]) for _ in range(3)]
    for relay, used in zip(relays, [database, *other], strict=True):
        relay.start([used])
    for number in range(24):
        await publish(database, number, key=f"urn:p:{number % 4}")
    await until(lambda: len(reader.seen) >= 24)
    for relay in relays:
        await relay.stop()
    for used in other:
        await used.close()
    assert sorted(map(str, reader.numbers)) == sorted(map(str, range(24)))
    for key in range(4):
        of_key = [event.data["n"] for event in reader.seen if event.key == f"urn:p:{key}"]
        assert of_key == sorted(map(int, map(str, of_key)))


async def test_a_relay_that_stops_hands_back_what_is_under_way(database: Database) -> None:
    """The next node may begin at once, and the try that did not end is not counted."""
    begun = asyncio.Event()

    async def hang(_event: ReceivedEvent) -> None:
        begun.set()
        await asyncio.Event().wait()

    await publish(database, 1)
    relay = EventRelay(lambda: [("mail", EventHandler("read", "subject.disabled", hang))])
    relay.start([database])
    await asyncio.wait_for(begun.wait(), 60)
    await relay.stop()
    assert [item.tries for item in await Deliveries(database).hold(["mail.read"])] == [1]


async def test_old_events_are_forgotten_unless_somebody_waits(database: Database) -> None:
    """After a week an event goes, but not before its handlers have seen it."""
    await publish(database, 1)
    rows = Deliveries(database)
    await rows.hand_out({"mail.read": "subject.disabled"})
    async with database.transaction() as session:
        await session.execute(text("UPDATE people_events SET at = 1"))
    kept = await rows.forget()
    await rows.done((await rows.hold(["mail.read"]))[0])
    assert (kept, await rows.forget()) == (0, 1)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event("Disabled", "k"), "the name is not"),
        (Event("subject.disabled", ""), "the key is empty"),
        (Event("subject.disabled", "k" * 401), "beyond 400"),
        (Event("subject.disabled", "k", {"x": object()}), "no JSON"),
        (Event("subject.disabled", "k", {"x": "y" * 70_000}), "beyond 65536 bytes"),
    ],
)
async def test_what_cannot_be_delivered_is_not_published(tmp_path: Path, event: Event, reason: str) -> None:
    """A bad name, key or data is refused with the reason, before anything is written."""
    database = Database("people", f"sqlite:///{tmp_path}/people.db")
    async with database.session() as session:
        with pytest.raises(InvalidEvent, match=reason):
            await Outbox(database).publish(session, event)
    await database.close()


async def test_the_outbox_has_a_history_beside_the_publishers(database: Database) -> None:
    """It is at its head after a migration, and its tables are what its models say."""
    assert (await runs.status(database, PUBLISHER)).at_head
    assert (await runs.status(database, runs.OUTBOX)).at_head
    from fastapi_services_platform.events.tables import tables_of

    tables = Migrations(runs.OUTBOX.package, tables_of("people").metadata, history="events")
    assert await runs.drift(database, tables) == []
    await runs.downgrade(database, runs.OUTBOX, "base")
    await database.migrate(PUBLISHER)
    assert (await runs.status(database, runs.OUTBOX)).at_head
