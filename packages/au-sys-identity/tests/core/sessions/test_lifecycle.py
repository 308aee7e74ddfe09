"""Any interleaving of concurrent refreshes leaves one living family and nobody logged out, on every store."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.db.evidence.personal import PersonalKeys
from au_sys_identity.adapters.db.unit_of_work import SqlTransactions
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.proofs.credentials import FixedDerivation
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.errors import SessionEnded
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.sessions.models import Client, SessionTimes
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session
from au_sys_identity.core.sessions.refreshing import Refreshing
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.manifest.plugin import MIGRATIONS
from fastapi_services_platform import Database
from fastapi_services_platform.testing.postgres import postgres_server

HOME = Client(user_agent="program/1", instance="home")
PAUSES = st.lists(st.integers(min_value=0, max_value=4), min_size=1, max_size=16)
LETTERS = LetterBox(RootKey(bytes(range(32))), RootKey(bytes(range(32))))


async def stolen(transactions: SqlTransactions) -> int:
    """How often the log tells of a copied token."""
    async with transactions.reading() as unit:
        events = await unit.audit.staged(since=None, limit=10_000)
    return [json.loads(event.body)["action"] for event in events].count("session.stolen")


async def opened_family(transactions: Transactions, clock: TurnedClock) -> Opened:
    """A new person's first refresh token."""
    now, address = clock(), f"{uuid7()}@example.org"
    person = Person(SubjectId(uuid7()), address, address, "Ann", "active", now, now)
    async with transactions.writing() as unit:
        await unit.subjects.add(person)
        proof = Proof("token", "password", ("pwd",))
        return await open_session(unit, person, proof, client=HOME, times=SessionTimes(), now=now)


async def tabs(transactions: Transactions, pauses: list[int]) -> None:
    """Tabs that share a jar refresh at once, whenever the pauses say; then a thief comes with an old token."""
    clock = TurnedClock()
    refreshing = Refreshing(transactions, FixedDerivation(), LETTERS, clock, times=SessionTimes())
    opened = await opened_family(transactions, clock)

    async def refresh(token: str) -> str:
        return (await refreshing.refresh(token, client=HOME)).secret

    jar, old, waiting = opened.secret, opened.secret, list[str]()
    for pause in [*pauses, 1]:
        waiting.append(jar)
        if pause:
            answers = await asyncio.gather(*(refresh(token) for token in waiting))
            assert len(set(answers)) == 1
            old, jar, waiting = jar, answers[0], []
            clock.turn(seconds=pause * 4)
    async with transactions.reading() as unit:
        session = await unit.sessions.get(opened.session.id)
        head = await unit.sessions.head(opened.session.id)
    assert session is not None
    assert session.lives(clock())
    assert head is not None
    if old != jar:
        clock.turn(seconds=30)
        thieves = await asyncio.gather(*(refresh(old) for _ in range(3)), return_exceptions=True)
        assert {type(answer) for answer in thieves} == {SessionEnded}
        with pytest.raises(SessionEnded):
            await refresh(jar)


@settings(max_examples=60, deadline=None)
@given(PAUSES)
def test_any_interleaving_in_memory(pauses: list[int]) -> None:
    """One head, everybody answered, and the family of a copied token ends."""
    asyncio.run(tabs(MemoryTransactions(), pauses))


Stores = tuple[asyncio.Runner, SqlTransactions]


@pytest.fixture(scope="module")
def opened_store() -> Iterator[Callable[[str], Stores]]:
    with asyncio.Runner() as runner:
        databases: list[Database] = []

        def open_store(url: str) -> Stores:
            database = Database("identity", url)
            databases.append(database)
            runner.run(database.migrate(MIGRATIONS))
            return runner, SqlTransactions(database, PersonalKeys(RootKey(bytes(range(32)))))

        yield open_store
        for database in databases:
            runner.run(database.close())


@pytest.fixture(scope="module")
def sqlite(opened_store: Callable[[str], Stores], tmp_path_factory: pytest.TempPathFactory) -> Stores:
    file: Path = tmp_path_factory.mktemp("sessions") / "identity.db"
    return opened_store(f"sqlite:///{file}")


@pytest.fixture(scope="module")
def postgres(opened_store: Callable[[str], Stores]) -> Iterator[Stores]:
    with postgres_server() as server:
        yield opened_store(server.database("identity_sessions"))


@settings(max_examples=12, deadline=None)
@given(pauses=PAUSES)
def test_any_interleaving_on_sqlite(sqlite: Stores, pauses: list[int]) -> None:
    """The same on a file, and a theft is told once for each family."""
    _told_once(sqlite, pauses)


@pytest.mark.needs_postgres
@settings(max_examples=12, deadline=None)
@given(pauses=PAUSES)
def test_any_interleaving_on_postgres(postgres: Stores, pauses: list[int]) -> None:
    """The same on a server, where transactions really overlap."""
    _told_once(postgres, pauses)


def _told_once(stores: Stores, pauses: list[int]) -> None:
    runner, transactions = stores
    before = runner.run(stolen(transactions))
    runner.run(tabs(transactions, pauses))
    assert runner.run(stolen(transactions)) - before <= 1
