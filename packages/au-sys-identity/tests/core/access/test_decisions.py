"""Decisions, one row each; nobody gives more than they hold; one administrator stays."""

from datetime import timedelta

import pytest

from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.adapters.policy.compiled_engine import CompiledEngine
from au_sys_identity.core.access.decisions import Decisions
from au_sys_identity.core.access.granting import SYSTEM, Granting
from au_sys_identity.core.access.live import LivePolicy, kind_of
from au_sys_identity.core.access.models import PLATFORM_ADMIN, Catalogue, Role
from au_sys_identity.core.access.roles import Roles
from au_sys_identity.core.credentials.models import PasswordRecord
from au_sys_identity.core.errors import ExceedsOwnRights, HasDependents, InvalidInput, LastAdmin, NotFound
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import Person, SubjectId


class House:
    """Access with everything around it."""

    def __init__(self, transactions: MemoryTransactions, clock: TurnedClock) -> None:
        self.clock = clock
        self.transactions = transactions
        bundles = {
            "helpdesk": Role("helpdesk", "", frozenset({"identity.users.read"}), source="bundle"),
            "demo:user": Role("demo:user", "", frozenset({"demo.things.*"}), source="bundle", default=True),
        }
        known = ("identity.users.read", "identity.users.delete", "demo.things.read")
        self.catalogue = Catalogue(dict.fromkeys(known, ""), bundles)
        engine = CompiledEngine(lambda: clock().timestamp(), kind_of)
        policy = LivePolicy(transactions, Freshness(transactions), self.catalogue, engine)
        self.decisions = Decisions(transactions, self.catalogue, policy)
        self.granting = Granting(transactions, self.decisions, clock)
        self.roles = Roles(transactions, self.decisions, self.granting, self.catalogue, clock)

    async def person(self, name: str = "ann") -> str:
        now = self.clock()
        email = f"{name}@example.org"
        person = Person(SubjectId(uuid7()), email, email, name, "active", now, now)
        async with self.transactions.writing() as unit:
            await unit.subjects.add(person)
            await unit.credentials.set_password(PasswordRecord(person.id, "x", now))
        return person.urn

    async def may(self, subject: str, permission: str, scopes: frozenset[str] | None = None) -> bool:
        return (await self.decisions.decide(subject, permission, person=True, scopes=scopes)).allowed


@pytest.fixture
def house(transactions: MemoryTransactions, clock: TurnedClock) -> House:
    return House(transactions, clock)


async def test_nothing_matches_means_no(house: House) -> None:
    """A person without roles may do nothing but what every person may."""
    ann = await house.person()
    assert not await house.may(ann, "identity.users.read")
    assert await house.may(ann, "demo.things.read")
    assert not await house.may(ann, "demo.thingsandmore.read")


async def test_default_bundles_are_for_people(house: House) -> None:
    """A machine does not get what every person gets."""
    assert not (await house.decisions.decide("urn:au:app:1", "demo.things.read", person=False)).allowed


async def test_a_grant_counts_at_once_and_so_does_its_end(house: House) -> None:
    """Granting and withdrawing are seen by the very next decision."""
    ann = await house.person()
    await house.granting.grant(ann, "role:helpdesk", by=SYSTEM)
    assert await house.may(ann, "identity.users.read")
    await house.granting.withdraw(ann, "helpdesk", by=SYSTEM)
    assert not await house.may(ann, "identity.users.read")


async def test_a_grant_runs_out_at_its_instant(house: House) -> None:
    """An expired assignment counts for nothing from that moment on."""
    ann = await house.person()
    await house.granting.grant(ann, "helpdesk", by=SYSTEM, expires_at=house.clock() + timedelta(hours=1))
    assert await house.may(ann, "identity.users.read")
    house.clock.turn(hours=1)
    assert not await house.may(ann, "identity.users.read")


async def test_scopes_narrow_and_never_widen(house: House) -> None:
    """A scope that the owner does not hold gives nothing."""
    ann = await house.person()
    await house.granting.grant(ann, "helpdesk", by=SYSTEM)
    assert await house.may(ann, "identity.users.read", frozenset({"identity.users.read"}))
    assert not await house.may(ann, "identity.users.read", frozenset({"demo.things.read"}))
    assert not await house.may(ann, "identity.users.delete", frozenset({"identity.users.delete"}))


async def test_nobody_gives_more_than_they_hold(house: House) -> None:
    """The refusal names the first excess; roles are built under the same ceiling."""
    ann, bob = await house.person(), await house.person("bob")
    with pytest.raises(ExceedsOwnRights) as refused:
        await house.granting.grant(bob, PLATFORM_ADMIN, by=ann)
    assert refused.value.excess == "*"
    with pytest.raises(ExceedsOwnRights):
        await house.roles.create("strong", "", frozenset({"identity.users.delete"}), by=ann)


async def test_the_last_administrator_stays(house: House) -> None:
    """Withdrawing the role from the only holder is refused; from one of two it is not."""
    ann, bob = await house.person(), await house.person("bob")
    await house.granting.grant(ann, PLATFORM_ADMIN, by=SYSTEM)
    with pytest.raises(LastAdmin):
        await house.granting.withdraw(ann, PLATFORM_ADMIN, by=ann)
    await house.granting.grant(bob, PLATFORM_ADMIN, by=ann)
    await house.granting.withdraw(ann, PLATFORM_ADMIN, by=bob)
    assert await house.may(bob, "anything.at.all")


async def test_local_roles_live_and_die(house: House) -> None:
    """A local role gives what it holds, follows its changes, and cannot be deleted while somebody holds it."""
    ann = await house.person()
    await house.roles.create("reader", "Reads", frozenset({"identity.users.read"}), by=SYSTEM)
    await house.granting.grant(ann, "reader", by=SYSTEM)
    assert await house.may(ann, "identity.users.read")
    await house.roles.change("reader", by=SYSTEM, description=None, permissions=frozenset())
    assert not await house.may(ann, "identity.users.read")
    with pytest.raises(HasDependents):
        await house.roles.delete("reader", by=SYSTEM)
    await house.granting.withdraw(ann, "reader", by=SYSTEM)
    await house.roles.delete("reader", by=SYSTEM)
    with pytest.raises(NotFound):
        await house.granting.grant(ann, "reader", by=SYSTEM)


@pytest.mark.parametrize("name", ["X", "1abc", "a b", "a", "../up", "role:" + "x" * 80])
async def test_odd_role_names_are_refused(house: House, name: str) -> None:
    """Role names are plain words."""
    with pytest.raises(InvalidInput):
        await house.roles.create(name, "", frozenset(), by=SYSTEM)
