"""Rules of edges: allowed pairs, one of a kind, no circles, not too deep, sealed attributes."""

from datetime import timedelta

import pytest

from au_sys_identity.adapters.crypto.sealing import RootKey
from au_sys_identity.adapters.memory.clock import TurnedClock
from au_sys_identity.adapters.memory.unit_of_work import MemoryTransactions
from au_sys_identity.conformance.graph import a_group, a_provider, an_agent, somebody
from au_sys_identity.core.errors import InvalidInput, NotFound
from au_sys_identity.core.freshness import Freshness
from au_sys_identity.core.graph.errors import Cycle, GraphTooDeep, RelationNotAllowed
from au_sys_identity.core.graph.linking import Linking, Wanted
from au_sys_identity.core.graph.live import LiveGraph
from au_sys_identity.core.graph.models import RELATIONS, Relation, joins
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import SubjectId, SubjectKind

BY = "urn:au:user:tester"
KINDS: tuple[SubjectKind, ...] = ("person", "app", "agent", "provider", "group")


@pytest.fixture
def linking(transactions: MemoryTransactions, clock: TurnedClock) -> Linking:
    return Linking(transactions, RootKey(b"k" * 32), clock, deepest=4)


async def made(transactions: MemoryTransactions, *kinds: str) -> list[SubjectId]:
    """New subjects of some kinds."""
    ids: list[SubjectId] = []
    async with transactions.writing() as unit:
        for number, kind in enumerate(kinds):
            if kind == "person":
                person = somebody(f"p{number}-{uuid7()}@example.org")
                await unit.subjects.add(person)
                ids.append(person.id)
            elif kind == "group":
                group = a_group(f"Group {uuid7()}")
                await unit.groups.add(group)
                ids.append(group.id)
            elif kind == "provider":
                provider = a_provider(f"Provider {uuid7()}")
                await unit.providers.add(provider)
                ids.append(provider.id)
            else:
                machine = an_agent()
                await unit.machines.add(machine)
                ids.append(machine.id)
    return ids


@pytest.mark.parametrize("relation", RELATIONS)
def test_each_relation_has_its_ends(relation: Relation) -> None:
    """The table of §6.1, cell by cell."""
    allowed = {
        "member_of": {(source, "group") for source in ("person", "app", "agent", "group")},
        "owner_of": {(s, t) for s in ("person", "group") for t in ("app", "agent", "provider", "group")},
        "child_of": {(s, t) for s in ("agent", "app") for t in ("agent", "app")} | {("group", "group")},
        "dependency_of": {(s, t) for s in ("app", "agent", "provider") for t in ("app", "agent")},
    }[relation]
    assert {(s, t) for s in KINDS for t in KINDS if joins(relation, s, t)} == allowed


async def test_an_edge_is_made_once(transactions: MemoryTransactions, linking: Linking) -> None:
    """Again it is the same edge; its attributes are sealed and come back."""
    ann, group = await made(transactions, "person", "group")
    wanted = Wanted(ann, "member_of", group, {"since": "käll"})
    edge, new = await linking.link(wanted, by=BY)
    again, second = await linking.link(wanted, by=BY)
    assert (new, second, again.id) == (True, False, edge.id)
    assert linking.attributes(edge) == {"since": "käll"}
    assert edge.sealed is not None
    assert "käll".encode() not in edge.sealed
    assert [fact.action for fact in transactions.facts] == ["edge.linked"]


async def test_what_cannot_be_is_refused(
    transactions: MemoryTransactions, linking: Linking, clock: TurnedClock
) -> None:
    """Wrong kinds, oneself, nobody, too many attributes, an end in the past: nothing is stored."""
    ann, group, agent = await made(transactions, "person", "group", "agent")
    with pytest.raises(RelationNotAllowed):
        await linking.link(Wanted(ann, "owner_of", ann), by=BY)
    with pytest.raises(RelationNotAllowed):
        await linking.link(Wanted(group, "member_of", group), by=BY)
    with pytest.raises(RelationNotAllowed):
        await linking.link(Wanted(agent, "owner_of", ann), by=BY)
    with pytest.raises(NotFound):
        await linking.link(Wanted(ann, "member_of", SubjectId(uuid7())), by=BY)
    with pytest.raises(InvalidInput):
        await linking.link(Wanted(ann, "member_of", group, {"a": "x" * 4096}), by=BY)
    with pytest.raises(InvalidInput):
        await linking.link(Wanted(ann, "member_of", group, expires_at=clock() - timedelta(seconds=1)), by=BY)
    async with transactions.reading() as unit:
        assert [link async for portion in unit.edges.every() for link in portion] == []


async def test_circles_are_refused_with_their_path(transactions: MemoryTransactions, linking: Linking) -> None:
    """Of one relation, and of owners backwards together with parents upwards."""
    first, second, third = await made(transactions, "group", "group", "group")
    await linking.link(Wanted(first, "member_of", second), by=BY)
    await linking.link(Wanted(second, "member_of", third), by=BY)
    with pytest.raises(Cycle) as circle:
        await linking.link(Wanted(third, "member_of", first), by=BY)
    assert [part.rpartition(":")[2] for part in circle.value.path] == [
        str(one) for one in (first, second, third, first)
    ]
    await linking.link(Wanted(first, "child_of", second), by=BY)
    with pytest.raises(Cycle):
        await linking.link(Wanted(first, "owner_of", second), by=BY)
    await linking.link(Wanted(second, "owner_of", first), by=BY)
    agent, other = await made(transactions, "agent", "agent")
    await linking.link(Wanted(agent, "dependency_of", other), by=BY)
    with pytest.raises(Cycle):
        await linking.link(Wanted(other, "dependency_of", agent), by=BY)


async def test_chains_have_a_greatest_depth(transactions: MemoryTransactions, linking: Linking) -> None:
    """The longest way through the new edge counts, from both of its sides."""
    groups = await made(transactions, *["group"] * 6)
    for number in range(4):
        await linking.link(Wanted(groups[number], "member_of", groups[number + 1]), by=BY)
    with pytest.raises(GraphTooDeep):
        await linking.link(Wanted(groups[4], "member_of", groups[5]), by=BY)
    with pytest.raises(GraphTooDeep):
        await linking.link(Wanted(groups[5], "member_of", groups[0]), by=BY)
    (ann,) = await made(transactions, "person")
    await linking.link(Wanted(ann, "member_of", groups[1]), by=BY)


async def test_an_edge_that_ran_out_gives_way(
    transactions: MemoryTransactions, linking: Linking, clock: TurnedClock
) -> None:
    """It closes no circle any more, and can be made anew."""
    first, second = await made(transactions, "group", "group")
    end = clock() + timedelta(minutes=5)
    old, _new = await linking.link(Wanted(first, "member_of", second, expires_at=end), by=BY)
    clock.turn(minutes=6)
    fresh, new = await linking.link(Wanted(first, "member_of", second), by=BY)
    assert (new, fresh.id != old.id) == (True, True)
    with pytest.raises(Cycle):
        await linking.link(Wanted(second, "member_of", first), by=BY)


async def test_a_process_follows_the_feed(
    transactions: MemoryTransactions, linking: Linking, clock: TurnedClock
) -> None:
    """Each change is in the next answer, without loading anew; after a gap it loads anew."""
    ann, group = await made(transactions, "person", "group")
    graph = LiveGraph(transactions, Freshness(transactions), clock)
    index = await graph.current()
    await linking.link(Wanted(ann, "member_of", group), by=BY)
    followed = await graph.current()
    assert (followed is index, len(followed.groups_of(f"urn:au:user:{ann}"))) == (True, 1)
    async with transactions.writing() as unit:
        await unit.versions.raise_topic("graph")
    assert await graph.current() is not index
