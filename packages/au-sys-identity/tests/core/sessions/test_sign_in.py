"""Every path through sign-in."""

from datetime import timedelta

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.crypto.webauthn_ceremony import WebauthnCeremony
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.proofs.credentials import PlainHasher
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.credentials.lockout import Lockout
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.derivation import digest
from au_sys_identity.core.errors import BadCredentials, Busy, TooManyAttempts
from au_sys_identity.core.factors.asserting import PasskeyCheck
from au_sys_identity.core.factors.challenges import PasskeyChallenges
from au_sys_identity.core.factors.checking import FactorCheck
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.sessions.models import Client, SessionTimes
from au_sys_identity.core.sessions.opening import Opened
from au_sys_identity.core.sessions.sign_in import SignIn
from au_sys_identity.core.subjects.models import Person, Status, SubjectId

PASSWORD = "correct horse battery staple"
HOME = Client("192.0.2.1", "192.0.2.0/24", "browser/1", device_token="known")


class House:
    """SignIn with everything around it."""

    def __init__(self, transactions: MemoryTransactions, clock: TurnedClock) -> None:
        self.transactions = transactions
        self.clock = clock
        self.hasher = PlainHasher()
        keys = RootKey(bytes(range(32)))
        ceremony = WebauthnCeremony("platform.test", "Platform", "https://platform.test")
        check = FactorCheck(keys, keys, PasskeyCheck(ceremony, PasskeyChallenges(keys)))
        self.sign_in = SignIn(transactions, self.hasher, keys, check, clock, lockout=Lockout(), times=SessionTimes())

    async def person(self, status: Status = "active", **record: object) -> Person:
        now = self.clock()
        person = Person(SubjectId(uuid7()), "ann@example.org", "ann@example.org", "Ann", status, now, now)
        hashed = await self.hasher.hash(PASSWORD)
        async with self.transactions.writing() as unit:
            await unit.subjects.add(person)
            # the keyword arguments are fields of the record
            await unit.credentials.set_password(PasswordRecord(person.id, hashed, now, **record))  # type: ignore[arg-type]
        return person

    async def enter(self, password: str = PASSWORD, email: str = "Ann@Example.org", client: Client = HOME) -> Opened:
        return await self.sign_in.with_password(email, password, client=client, kind="web")


@pytest.fixture
def house(transactions: MemoryTransactions, clock: TurnedClock) -> House:
    return House(transactions, clock)


async def test_the_right_password_opens_a_session(house: House) -> None:
    """The session is stored by the hash of its secret only."""
    person = await house.person()
    opened = await house.enter()
    assert opened.person == person
    async with house.transactions.reading() as unit:
        assert await unit.sessions.by_secret(digest(opened.secret)) == opened.session
    assert opened.secret not in repr(opened)


async def test_every_sign_in_gets_a_session_of_its_own(house: House) -> None:
    """Nothing of an older session is taken over."""
    await house.person()
    first, second = await house.enter(), await house.enter()
    assert first.session.id != second.session.id
    assert first.secret != second.secret


@pytest.mark.parametrize("status", ["pending", "disabled", "closed"])
async def test_accounts_that_do_not_act_cannot_sign_in(house: House, status: Status) -> None:
    """The right password of such an account gets the one answer."""
    await house.person(status)
    with pytest.raises(BadCredentials):
        await house.enter()


async def test_failures_cost_one_hash_each(house: House) -> None:
    """Unknown address, wrong password, disabled account: the same number of hashes."""
    await house.person("disabled")
    house.hasher.computed = 0
    for email, password in (
        ("nobody@example.org", PASSWORD),
        ("ann@example.org", "wrong"),
        ("ann@example.org", PASSWORD),
    ):
        with pytest.raises(BadCredentials):
            await house.enter(password, email)
    assert house.hasher.computed == 3


async def test_unknown_addresses_are_slowed_alike(house: House) -> None:
    """Whether an account exists does not show in when the waiting begins."""
    await house.person()

    async def evaluated(email: str) -> int:
        for number in range(20):
            try:
                await house.enter("wrong", email)
            except BadCredentials:
                continue
            except TooManyAttempts:
                return number
        return 20

    tries = {email: await evaluated(email) for email in ("ann@example.org", "nobody@example.org")}
    assert tries == {"ann@example.org": 5, "nobody@example.org": 5}


async def test_a_full_queue_does_not_count_as_a_guess(house: House) -> None:
    """Who was sent away as busy has all tries left."""
    await house.person()
    house.hasher.full = True
    for _ in range(10):
        with pytest.raises(Busy):
            await house.enter()
    house.hasher.full = False
    assert (await house.enter()).person.email == "ann@example.org"


async def test_a_one_time_password_runs_out(house: House) -> None:
    """After its time it is no password any more; before, it opens a restricted session."""
    await house.person(must_change=True, usable_until=house.clock() + timedelta(hours=24))
    assert (await house.enter()).restricted is True
    house.clock.turn(hours=24)
    with pytest.raises(BadCredentials):
        await house.enter()


async def test_an_outdated_hash_is_renewed(house: House) -> None:
    """A sign-in under older parameters stores a hash with the present ones."""
    person = await house.person()
    house.hasher.parameters = "2"
    await house.enter()
    async with house.transactions.reading() as unit:
        record = await unit.credentials.password(person.id)
    assert record is not None
    assert record.hash.startswith("2$")


async def test_a_victim_with_a_known_device_gets_in(house: House) -> None:
    """Fifty-one networks guess wrong; the owner's browser signs in at once, a stranger has to wait."""
    await house.person()
    await house.enter()
    for number in range(51):
        with pytest.raises(BadCredentials):
            await house.enter("wrong", client=Client(network=f"10.0.{number}.0/24"))
    assert (await house.enter(client=HOME)).person.email == "ann@example.org"
    with pytest.raises(TooManyAttempts):
        await house.enter(client=Client(network="10.9.9.0/24"))
