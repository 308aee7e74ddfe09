"""Custody in one transaction: stop, resume, hand over, leave; and our own house put in order."""

from collections.abc import Sequence

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.conformance.graph import a_group, a_provider, an_agent, somebody
from au_sys_identity.core.access.models import Assignment
from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.graph.errors import LastCustodian
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.integrity.checking import Integrity
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.machines.stopping import Stopping
from au_sys_identity.core.notices.writing import LetterBox
from au_sys_identity.core.subjects.models import Person, SubjectId

BY = "urn:au:user:tester"


class House:
    """Ann answers for two agents, bob for the second as well; a child is below the first."""

    def __init__(self, transactions: MemoryTransactions, clock: TurnedClock) -> None:
        self.transactions = transactions
        self.clock = clock
        self.ann, self.bob = somebody("ann@example.org"), somebody("bob@example.org")
        self.first, self.second, self.child = an_agent(), an_agent(), an_agent()
        root = RootKey(b"0123456789abcdefghijklmnopqrstuv")
        self.graph = LiveGraph(transactions, Freshness(transactions), clock)
        self.stopping = Stopping(transactions, self.graph, LetterBox(root, root), clock)
        self.integrity = Integrity(transactions, self.graph, clock)

    async def built(self) -> "House":
        """Keep everybody."""
        now = self.clock()
        async with self.transactions.writing() as unit:
            for person in (self.ann, self.bob):
                await unit.subjects.add(person)
            for machine in (self.first, self.second, self.child):
                await unit.machines.add(machine)
            for source, target in ((self.ann, self.first), (self.ann, self.second), (self.bob, self.second)):
                await unit.edges.link(Edge(source.id, "owner_of", target.id, now, BY))
            await unit.edges.link(Edge(self.child.id, "child_of", self.first.id, now, BY))
        return self

    async def status(self, machine: Machine) -> str:
        """As it is stored."""
        async with self.transactions.reading() as unit:
            found = await unit.machines.get(machine.id)
        assert found is not None
        return found.status

    async def turn(self, person: Person, status: str) -> None:
        """Disable or enable somebody."""
        async with self.transactions.writing() as unit:
            known = await unit.subjects.get(person.id)
            assert known is not None
            turned = known.distrusted(self.clock(), status=status)  # type: ignore[arg-type]  # one of the literals
            await unit.subjects.save(turned, expected_version=known.version)


@pytest.fixture
async def house(transactions: MemoryTransactions, clock: TurnedClock) -> House:
    return await House(transactions, clock).built()


def ids(machines: Sequence[Machine]) -> set[SubjectId]:
    """Of machines."""
    return {machine.id for machine in machines}


async def test_the_preview_is_what_the_act_does(house: House) -> None:
    """What ends with ann stops with its child; what bob answers for as well lives on, unless everything is meant."""
    shown = await house.stopping.stop(house.ann.id, by=BY, reason="x", preview=True)
    assert ids(shown.changed) == {house.first.id, house.child.id}
    assert [(one.id, [person.id for person in people]) for one, people in shown.others] == [
        (house.second.id, sorted([house.ann.id, house.bob.id]))
    ]
    assert await house.status(house.first) == "active"
    done = await house.stopping.stop(house.ann.id, by=BY, reason="x")
    assert ids(done.changed) == ids(shown.changed)
    assert [await house.status(one) for one in (house.first, house.child, house.second)] == [
        "disabled", "disabled", "active"
    ]  # fmt: skip
    everything = await house.stopping.stop(house.ann.id, by=BY, reason="x", everything=True)
    assert ids(everything.changed) == {house.second.id}


async def test_what_was_stopped_goes_on_once_somebody_answers(house: House) -> None:
    """Not while nobody does; and only what was stopped with her."""
    await house.stopping.stop(house.ann.id, by=BY, reason="x", everything=True)
    await house.turn(house.ann, "disabled")
    await house.turn(house.bob, "disabled")
    with pytest.raises(LastCustodian):
        await house.stopping.resume(house.ann.id, by=BY)
    await house.turn(house.ann, "active")
    resumed = await house.stopping.resume(house.ann.id, by=BY)
    assert ids(resumed.changed) == {house.first.id, house.second.id, house.child.id}
    assert (await house.stopping.resume(house.ann.id, by=BY)).changed == ()


async def test_a_machine_stops_with_its_children(house: House) -> None:
    """Its fate is theirs; resumed by its own name, they go on with it."""
    stopped = await house.stopping.stop(house.first.id, by=BY, reason="x")
    assert ids(stopped.changed) == {house.first.id, house.child.id}
    resumed = await house.stopping.resume(house.first.id, by=BY)
    assert ids(resumed.changed) == {house.first.id, house.child.id}


async def test_custody_is_handed_over_and_the_new_custodian_is_told(house: House) -> None:
    """To an active person only; the old edge is gone, a letter waits, and the trail tells from whom to whom."""
    with pytest.raises(InvalidInput):
        await house.stopping.transfer(house.first.id, SubjectId(uuid7()), by=BY, reason="")
    with pytest.raises(NotFound):
        await house.stopping.transfer(SubjectId(uuid7()), house.bob.id, by=BY, reason="")
    await house.stopping.transfer(house.ann.id, house.bob.id, by=BY, reason="leaves")
    index = await house.graph.current()
    assert [index.custody(one.id).custodians for one in (house.first, house.second, house.child)] == [
        (house.bob.id,)
    ] * 3
    async with house.transactions.reading() as unit:
        assert await unit.edges.out_of(house.ann.id, "owner_of") == []
        letters = await unit.outbox.due(house.clock(), limit=10)
    assert [letter.kind for letter in letters] == ["custody-transferred"]
    told = [fact for fact in house.transactions.facts if fact.action == "custody.transferred"]
    assert {(fact.details["from"], fact.details["to"]) for fact in told} == {(house.ann.urn, house.bob.urn)}


async def test_the_last_edge_is_kept_for_what_is_below_too(house: House) -> None:
    """Neither the owner's edge goes while an agent is active, nor the parent's while its child hangs on it."""
    with pytest.raises(LastCustodian) as refused:
        await house.stopping.unlink(house.ann.id, "owner_of", house.first.id, by=BY)
    assert set(refused.value.machines) == {house.first.urn, house.child.urn}
    with pytest.raises(LastCustodian):
        await house.stopping.unlink(house.child.id, "child_of", house.first.id, by=BY)
    await house.stopping.unlink(house.ann.id, "owner_of", house.second.id, by=BY)
    await house.stopping.stop(house.first.id, by=BY, reason="x")
    await house.stopping.unlink(house.ann.id, "owner_of", house.first.id, by=BY)


async def test_dead_edges_and_rules_are_found_and_taken_away(house: House) -> None:
    """The dry run gives the real run's report; afterwards nothing is left to find, whatever was planted."""
    group, provider = a_group(), a_provider()
    nobody = f"urn:au:user:{uuid7()}"
    async with house.transactions.writing() as unit:
        await unit.groups.add(group)
        await unit.providers.add(provider)
        await unit.edges.link(Edge(house.bob.id, "member_of", group.id, house.clock(), BY))
        past = house.clock().replace(year=2020)
        await unit.edges.link(Edge(house.ann.id, "member_of", group.id, past, BY, expires_at=past))
        closed = house.bob.distrusted(house.clock(), status="closed")
        await unit.subjects.save(closed, expected_version=house.bob.version)
        await unit.grants.assign(Assignment(uuid7(), nobody, "helpdesk", "default", house.clock(), BY))
    dry = await house.integrity.run("iam_to_rbac", "*", dry_run=True, by=BY)
    real = await house.integrity.run("iam_to_rbac", "*", dry_run=False, by=BY)
    assert {**real, "dry_run": True} == dry
    counts = dry["counts"]
    assert isinstance(counts, dict)
    assert (counts["dead_edges"], counts["assignments_of_unknown_subjects"]) == (3, 1)
    back = await house.integrity.run("rbac_to_iam", "*", dry_run=True, by=BY)
    after = await house.integrity.run("iam_to_rbac", "*", dry_run=True, by=BY)
    assert (back["repairs"], after["repairs"]) == (0, 0)


async def test_subjects_that_rules_name_and_nobody_is_are_told(house: House) -> None:
    """Of one URN only, when it is asked for one."""
    nobody = f"urn:au:user:{uuid7()}"
    async with house.transactions.writing() as unit:
        await unit.grants.assign(Assignment(uuid7(), nobody, "helpdesk", "default", house.clock(), BY))
    for target, expected in (("*", [nobody]), (nobody, [nobody]), (house.ann.urn, [])):
        report = await house.integrity.run("rbac_to_iam", target, dry_run=False, by=BY)
        findings = report["findings"]
        assert isinstance(findings, dict)
        assert findings["subjects_that_nobody_is"] == expected
