"""The outbox empties, repeats and gives up."""

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.notices import KeptPost
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.notices.models import Kind
from au_sys_identity.core.notices.sending import Delivery, LinkTimes
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.subjects.models import Person, Status, SubjectId

ROOT = RootKey(bytes(range(32)))


class House:
    """Delivery with everything around it."""

    def __init__(self, transactions: MemoryTransactions, clock: TurnedClock) -> None:
        self.transactions = transactions
        self.clock = clock
        self.post = KeptPost()
        self.letters = LetterBox(ROOT, ROOT)
        url = "https://id.example.org/"
        self.delivery = Delivery(transactions, self.letters, self.post, clock, public_url=url, times=LinkTimes())

    async def person(self, status: Status = "active") -> Person:
        now = self.clock()
        person = Person(SubjectId(uuid7()), "Ann@example.org", "ann@example.org", "Ann", status, now, now)
        async with self.transactions.writing() as unit:
            await unit.subjects.add(person)
        return person

    async def ask(self, kind: Kind, address: str = "ann@example.org") -> None:
        async with self.transactions.writing() as unit:
            await self.letters.put_for_stranger(unit, kind, address, now=self.clock())


@pytest.fixture
def house(transactions: MemoryTransactions, clock: TurnedClock) -> House:
    return House(transactions, clock)


async def test_a_letter_is_sent_once(house: House) -> None:
    """A second run finds nothing; the link leads to the public address with the token in the fragment."""
    await house.person()
    await house.ask("reset")
    await house.delivery.run()
    await house.delivery.run()
    assert [letter.recipient for letter in house.post.letters] == ["Ann@example.org"]
    assert house.post.letters[0].link.startswith("https://id.example.org/reset-password#token=")
    assert house.post.letters[0].link not in repr(house.post.letters[0])
    assert await house.delivery.backlog() == (0, 0)


async def test_a_refused_letter_is_repeated_and_given_up(house: House) -> None:
    """Five tries, further and further apart, all under one id; then it is dead and visible."""
    await house.person()
    await house.ask("reset")
    house.post.refuses = True
    for _ in range(4):
        await house.delivery.run()
        house.clock.turn(minutes=20)
    assert await house.delivery.backlog() == (1, 0)
    await house.delivery.run()
    assert await house.delivery.backlog() == (0, 1)
    house.clock.turn(days=1)
    house.post.refuses = False
    await house.delivery.run()
    assert house.post.letters == []


async def test_nobody_gets_a_letter_for_nobody(house: House) -> None:
    """Unknown addresses cost the same when asked for and are dropped when sent."""
    await house.ask("reset", "nobody@example.org")
    assert await house.delivery.backlog() == (1, 0)
    await house.delivery.run()
    assert (await house.delivery.backlog(), house.post.letters) == ((0, 0), [])


@pytest.mark.parametrize(
    ("status", "kind", "sent"),
    [
        ("pending", "verify", 1),
        ("pending", "reset", 0),
        ("disabled", "verify", 0),
        ("disabled", "reset", 0),
        ("closed", "reset", 0),
        ("active", "known", 1),
        ("active", "password-changed", 1),
    ],
)
async def test_who_gets_which_letter(house: House, status: Status, kind: Kind, sent: int) -> None:
    """Links go only where they would work."""
    await house.person(status)
    await house.ask(kind)
    await house.delivery.run()
    assert len(house.post.letters) == sent


async def test_a_mailbox_cannot_be_flooded(house: House) -> None:
    """Strangers cause at most five letters an hour to one address."""
    await house.person()
    for _ in range(20):
        await house.ask("reset")
    await house.delivery.run()
    assert len(house.post.letters) == 5
    house.clock.turn(hours=1)
    await house.ask("reset")
    await house.delivery.run()
    assert len(house.post.letters) == 6
