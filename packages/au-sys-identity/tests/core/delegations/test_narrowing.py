"""Rights that only shrink: generated rights of person, machine, parent and grant against their plain intersection."""

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.core.access.models import Decision
from au_sys_identity.core.delegations.models import Delegation
from au_sys_identity.core.delegations.narrowing import Narrowing
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Cap, Machine
from au_sys_identity.core.subjects.models import Person, SubjectId, SubjectUrn

RIGHTS = ("x.a.read", "x.a.write", "x.b.read", "x.b.write")
rights = st.frozensets(st.sampled_from(RIGHTS))


class Rights:
    """Who holds what by themselves."""

    def __init__(self, held: Mapping[SubjectUrn, frozenset[str]]) -> None:
        self.held = held

    async def decide(self, subject: str, permission: str, /, *, person: bool, domain: str, object_id: str) -> Decision:
        return Decision(permission in self.held.get(SubjectUrn(subject), frozenset()), "as held")


class Family:
    """A person, an agent, the agent that made it, and a grant."""

    def __init__(self, clock: TurnedClock, *, cap: Cap, parent_cap: Cap) -> None:
        self.now = clock()
        self.person = Person(SubjectId(uuid7()), "a@x.test", "a@x.test", "Ann", "active", self.now, self.now)
        self.keeper = Person(SubjectId(uuid7()), "b@x.test", "b@x.test", "Bob", "active", self.now, self.now)
        self.agent = Machine(SubjectId(uuid7()), "agent", "Child", "x", "active", self.now, self.now, cap=cap)
        self.parent = Machine(SubjectId(uuid7()), "agent", "Parent", "x", "active", self.now, self.now, cap=parent_cap)
        self.transactions = MemoryTransactions()

    def grant(self, permissions: frozenset[str], **more: object) -> Delegation:
        made = {"domain": "default", "created_at": self.now, "expires_at": self.now + timedelta(hours=1), **more}
        return Delegation(uuid7(), self.person.id, self.agent.id, self.agent.urn, permissions=permissions, **made)  # type: ignore[arg-type]  # fields of Delegation

    async def kept(self, delegation: Delegation | None) -> None:
        async with self.transactions.writing() as unit:
            for person in (self.person, self.keeper):
                await unit.subjects.add(person)
            for machine in (self.parent, self.agent):
                await unit.machines.add(machine)
            await unit.edges.link(Edge(self.keeper.id, "owner_of", self.parent.id, self.now, "x"))
            await unit.edges.link(Edge(self.keeper.id, "owner_of", self.agent.id, self.now, "x"))
            await unit.edges.link(Edge(self.agent.id, "child_of", self.parent.id, self.now, "x"))
            if delegation is not None:
                await unit.delegations.add(delegation)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    person=rights,
    keeper=rights,
    parent=rights,
    grant=st.none() | rights,
    cap=st.sampled_from(["none", "custodian"]),
    parent_cap=st.sampled_from(["none", "custodian"]),
)
async def test_what_is_left_is_the_intersection(
    clock: TurnedClock,
    person: frozenset[str],
    keeper: frozenset[str],
    parent: frozenset[str],
    grant: frozenset[str] | None,
    cap: Cap,
    parent_cap: Cap,
) -> None:
    """Of what the agent holds itself stays what its parent, the cap, the person and the grant all hold, and no more."""
    family = Family(clock, cap=cap, parent_cap=parent_cap)
    delegation = family.grant(grant) if grant is not None else None
    await family.kept(delegation)
    held = {family.person.urn: person, family.keeper.urn: keeper, family.parent.urn: parent}
    narrowing = Narrowing(family.transactions, Rights(held).decide, clock)
    expected = frozenset(RIGHTS) & parent
    if "custodian" in (cap, parent_cap):
        expected &= keeper
    if grant is not None:
        expected &= person & grant
    named = str(delegation.id) if delegation else None
    left = {right for right in RIGHTS if (await narrowing.narrowed(family.agent.id, named, right)).allowed}
    assert left == expected


async def test_a_grant_reaches_its_domain_and_objects_only(clock: TurnedClock) -> None:
    """Another organization, another object, no object where objects are named: refused."""
    family = Family(clock, cap="none", parent_cap="none")
    delegation = family.grant(frozenset({"x.a.*"}), resources=frozenset({"7", "8*"}), domain="acme")
    await family.kept(delegation)
    everything = dict.fromkeys((family.person.urn, family.keeper.urn, family.parent.urn), frozenset(RIGHTS))
    narrowing = Narrowing(family.transactions, Rights(everything).decide, clock)
    questions = [("acme", "7"), ("acme", "89"), ("acme", "70"), ("acme", ""), ("default", "7")]
    answers = [
        (
            await narrowing.narrowed(
                family.agent.id, str(delegation.id), "x.a.read", domain=domain, object_id=object_id
            )
        ).allowed
        for domain, object_id in questions
    ]
    assert answers == [True, True, False, False, False]


async def test_a_grant_that_ended_gives_nothing(clock: TurnedClock) -> None:
    """Revoked, over, or of somebody who is disabled."""
    everything = frozenset(RIGHTS)
    for ending in ("revoked", "over", "disabled"):
        family = Family(clock, cap="none", parent_cap="none")
        delegation = family.grant(everything)
        await family.kept(delegation)
        held = dict.fromkeys((family.person.urn, family.parent.urn), everything)
        narrowing = Narrowing(family.transactions, Rights(held).decide, clock)
        named = str(delegation.id)
        assert (await narrowing.narrowed(family.agent.id, named, "x.a.read")).allowed
        async with family.transactions.writing() as unit:
            if ending == "revoked":
                await unit.delegations.revoke(delegation.id, at=clock())
            if ending == "disabled":
                gone = family.person.distrusted(clock(), status="disabled")
                await unit.subjects.save(gone, expected_version=family.person.version)
        if ending == "over":
            clock.turn(hours=1)
        found = await narrowing.narrowed(family.agent.id, named, "x.a.read")
        assert (found.allowed, found.via) == (False, None), ending
