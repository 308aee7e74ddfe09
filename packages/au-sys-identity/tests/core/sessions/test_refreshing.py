"""Refresh with rotation: nobody is logged out, a thief is noticed."""

from dataclasses import replace

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.proofs.credentials import FixedDerivation
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.errors import SessionEnded
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.sessions.models import Client, SessionTimes
from au_sys_identity.core.sessions.opening import Opened, Proof, open_session
from au_sys_identity.core.sessions.refreshing import Refreshing
from au_sys_identity.core.subjects.models import Person, SubjectId

HOME = Client(user_agent="program/1", instance="home")
THIEF = Client(user_agent="program/1", instance="elsewhere")
LETTERS = LetterBox(RootKey(bytes(range(32))), RootKey(bytes(range(32))))


class Family:
    """A person with a token session, and the verb under test."""

    def __init__(self, transactions: MemoryTransactions, clock: TurnedClock) -> None:
        self.transactions = transactions
        self.clock = clock
        self.times = SessionTimes()
        self.refreshing = Refreshing(transactions, FixedDerivation(), LETTERS, clock, times=self.times)

    async def open(self, client: Client = HOME) -> Opened:
        now = self.clock()
        person = Person(
            SubjectId(uuid7()), f"{uuid7()}@example.org", f"{uuid7()}@example.org", "Ann", "active", now, now
        )
        async with self.transactions.writing() as unit:
            await unit.subjects.add(person)
            return await open_session(
                unit,
                person,
                Proof("token", "password", ("pwd",)),
                client=client,
                times=self.times,
                now=now,
            )

    async def refresh(self, token: str, client: Client = HOME) -> str:
        return (await self.refreshing.refresh(token, client=client)).secret

    async def generation(self, opened: Opened) -> int | None:
        async with self.transactions.reading() as unit:
            session = await unit.sessions.get(opened.session.id)
            head = await unit.sessions.head(opened.session.id)
        return head.generation if head and session and session.lives(self.clock()) else None

    def stolen(self) -> int:
        return [fact.action for fact in self.transactions.facts].count("session.stolen")


@pytest.fixture
def family(transactions: MemoryTransactions, clock: TurnedClock) -> Family:
    return Family(transactions, clock)


async def test_two_tabs_get_the_same_successor(family: Family) -> None:
    """The second tab, with the token that the first one replaced, is answered with the same successor."""
    opened = await family.open()
    family.clock.turn(minutes=5)
    first = await family.refresh(opened.secret)
    family.clock.turn(seconds=9)
    assert await family.refresh(opened.secret) == first
    assert await family.generation(opened) == 1


async def test_within_the_grace_there_is_one_rotation(family: Family) -> None:
    """The head presented again within the grace stays the head, so late answers do no harm."""
    opened = await family.open()
    family.clock.turn(minutes=5)
    first = await family.refresh(opened.secret)
    assert await family.refresh(first) == first
    family.clock.turn(seconds=11)
    assert await family.refresh(first) != first


async def test_a_copied_token_kills_the_family_once(family: Family) -> None:
    """A replaced token after the grace ends the session; the event is raised once and nothing revives it."""
    opened = await family.open()
    family.clock.turn(minutes=5)
    head = await family.refresh(opened.secret)
    family.clock.turn(seconds=11)
    for token in (opened.secret, opened.secret, head):
        with pytest.raises(SessionEnded):
            await family.refresh(token)
    assert await family.generation(opened) is None
    assert family.stolen() == 1


@pytest.mark.parametrize("thief", [THIEF, replace(HOME, instance=None)])
async def test_another_client_kills_the_family(family: Family, thief: Client) -> None:
    """A session bound to its client is of no use anywhere else, not even with the current token."""
    opened = await family.open()
    with pytest.raises(SessionEnded):
        await family.refresh(opened.secret, thief)
    with pytest.raises(SessionEnded):
        await family.refresh(opened.secret)
    assert family.stolen() == 1


async def test_a_browser_update_does_not_end_a_weakly_bound_session(family: Family) -> None:
    """A client known by its name only may change its name."""
    opened = await family.open(Client(user_agent="browser/1"))
    family.clock.turn(minutes=5)
    assert await family.refresh(opened.secret, Client(user_agent="browser/2")) != opened.secret


async def test_nothing_refreshes_after_the_account_is_switched_off(family: Family) -> None:
    """A new epoch or a disabled account ends the family silently."""
    opened = await family.open()
    async with family.transactions.writing() as unit:
        await unit.subjects.save(opened.person.distrusted(family.clock(), status="disabled"), expected_version=1)
    with pytest.raises(SessionEnded):
        await family.refresh(opened.secret)
    assert family.stolen() == 0


@pytest.mark.parametrize("turned", [{"days": 8}, {"days": 31}])
async def test_idle_and_old_sessions_end(family: Family, turned: dict[str, float]) -> None:
    """A week without use, or a month in all, is the end."""
    opened = await family.open()
    family.clock.turn(**turned)
    with pytest.raises(SessionEnded):
        await family.refresh(opened.secret)


async def test_unknown_tokens_are_refused_alike(family: Family) -> None:
    """A made-up token gets the same answer as an ended one."""
    with pytest.raises(SessionEnded):
        await family.refresh("nobody ever had this one")


async def test_the_owner_is_told_of_a_theft(transactions: MemoryTransactions, clock: TurnedClock) -> None:
    """One letter about the person whose family died, and none for a refusal without theft."""
    family = Family(transactions, clock)
    opened = await family.open()
    with pytest.raises(SessionEnded):
        await family.refreshing.refresh(opened.secret, client=THIEF)
    with pytest.raises(SessionEnded):
        await family.refreshing.refresh(opened.secret, client=THIEF)
    async with transactions.reading() as unit:
        due = await unit.outbox.due(clock(), 10)
    assert [(item.kind, LETTERS.opened(item).subject) for item in due] == [("session-stolen", opened.person.id)]
