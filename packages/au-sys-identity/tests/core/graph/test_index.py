"""The graph in memory: memberships, custody, ends, and that following equals loading anew."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from au_sys_identity.core.graph.index import GraphIndex
from au_sys_identity.core.graph.models import Relation
from au_sys_identity.core.graph.traversal import chain, dependents, ends_with, machines_below, members, memberships
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.subjects.models import Status, SubjectId, SubjectKind, subject_urn
from au_sys_identity.core.subjects.ports import Standing

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class World:
    """An index, and names for its subjects."""

    def __init__(self) -> None:
        self.index = GraphIndex()
        self.ids: dict[str, SubjectId] = {}
        self.kinds: dict[str, SubjectKind] = {}

    def put(self, kind: SubjectKind, *names: str, status: Status = "active", provider: str = "") -> None:
        """Keep subjects."""
        for name in names:
            self.ids.setdefault(name, SubjectId(uuid7()))
            self.kinds[name] = kind
            self.index.put(Standing(self.ids[name], kind, status, self.ids[provider] if provider else None))

    def link(self, source: str, relation: Relation, target: str, end: datetime | None = None) -> None:
        """Keep an edge."""
        self.index.link(self.ids[source], relation, self.ids[target], end)

    def urn(self, name: str) -> str:
        """The name for rules."""
        return subject_urn(self.kinds[name], self.ids[name])

    def custodians(self, name: str) -> list[str]:
        """Who answers for a machine, by name."""
        return self._named(self.index.custody(self.ids[name]).custodians)

    def groups(self, name: str, now: datetime = NOW) -> list[str]:
        """Groups of a subject, by name."""
        found = self.index.groups_of(self.urn(name), now)
        return sorted(one for one in self.ids if self.urn(one) in found)

    def _named(self, ids: object) -> list[str]:
        assert isinstance(ids, (list, tuple))
        return sorted(name for name, known in self.ids.items() if known in ids)


@pytest.fixture
def world() -> World:
    return World()


def test_the_nearest_living_people_answer_together(world: World) -> None:
    """Direct owners first; without a living one those of parents and of owning groups, all of the smallest depth."""
    world.put("person", "ann", "bob", "cleo", "dan")
    world.put("group", "team")
    world.put("agent", "parent", "child")
    for source, relation, target in (
        ("ann", "owner_of", "child"), ("child", "child_of", "parent"), ("bob", "owner_of", "parent"),
        ("team", "owner_of", "child"), ("cleo", "owner_of", "team"), ("dan", "owner_of", "team"),
    ):  # fmt: skip
        world.link(source, relation, target)  # type: ignore[arg-type]  # literals of a loop are str
    assert world.custodians("child") == ["ann"]
    world.put("person", "ann", status="disabled")
    assert world.custodians("child") == ["bob", "cleo", "dan"]
    assert len(chain(world.index, world.ids["child"])) == 5
    for name in ("bob", "cleo", "dan"):
        world.put("person", name, status="disabled")
    assert world.custodians("child") == []
    assert not world.index.custody(world.ids["child"]).living


def test_a_stopped_parent_and_a_stopped_provider_stop_what_is_below(world: World) -> None:
    """Two levels down, too; the answer names what stops."""
    world.put("person", "ann")
    world.put("provider", "acme")
    world.put("agent", "top", "middle", provider="acme")
    world.put("agent", "low")
    world.link("ann", "owner_of", "top")
    world.link("middle", "child_of", "top")
    world.link("low", "child_of", "middle")
    assert world.index.custody(world.ids["low"]).living
    world.put("agent", "top", status="disabled", provider="acme")
    assert world.index.custody(world.ids["low"]).stopped_by == world.urn("top")
    world.put("agent", "top", provider="acme")
    world.put("provider", "acme", status="disabled")
    assert world.index.custody(world.ids["low"]).stopped_by == world.urn("acme")


def test_stopping_a_person_spares_what_others_answer_for(world: World) -> None:
    """What ends with somebody, what lives on, and everything below."""
    world.put("person", "ann", "bob")
    world.put("app", "alone", "shared", "made")
    world.link("ann", "owner_of", "alone")
    world.link("ann", "owner_of", "shared")
    world.link("bob", "owner_of", "shared")
    world.link("made", "child_of", "alone")
    ann = world.ids["ann"]
    assert set(ends_with(world.index, ann)) == {world.ids["alone"], world.ids["made"]}
    assert set(machines_below(world.index, ann)) == {world.ids[name] for name in ("alone", "shared", "made")}
    found = dependents(world.index, ann, ["owner_of", "child_of"], depth=32)
    assert [one.depth for one in found] == [1, 1, 2]


def test_groups_reach_through_groups(world: World) -> None:
    """Members of a group in a group; a change in the middle counts at once."""
    world.put("person", "ann")
    world.put("group", "inner", "outer", "top")
    world.link("ann", "member_of", "inner")
    world.link("inner", "member_of", "outer")
    assert world.groups("ann") == ["inner", "outer"]
    world.link("outer", "member_of", "top")
    assert world.groups("ann") == ["inner", "outer", "top"]
    assert world.index.is_member(world.urn("ann"), world.urn("top"), NOW)
    assert [one.depth for one in memberships(world.index, world.ids["ann"], transitive=True)] == [1, 2, 3]
    assert len(members(world.index, world.ids["top"], transitive=True)) == 3
    assert len(members(world.index, world.ids["top"], transitive=False)) == 1
    world.index.unlink(world.ids["inner"], "member_of", world.ids["outer"])
    assert world.groups("ann") == ["inner"]


def test_an_edge_that_ran_out_counts_no_more(world: World) -> None:
    """From the very moment, for memberships through it and for custody; a longer end takes its place."""
    world.put("person", "ann")
    world.put("group", "inner", "outer")
    world.put("app", "importer")
    end = NOW + timedelta(hours=1)
    world.link("ann", "member_of", "inner")
    world.link("inner", "member_of", "outer", end)
    world.link("ann", "owner_of", "importer", end)
    assert world.groups("ann") == ["inner", "outer"]
    assert world.groups("ann", end - timedelta(microseconds=1)) == ["inner", "outer"]
    assert world.groups("ann", end) == ["inner"]
    assert world.custodians("importer") == []
    world.link("inner", "member_of", "outer", end + timedelta(hours=1))
    assert world.groups("ann", end) == ["inner", "outer"]
    world.link("inner", "member_of", "outer")
    assert world.groups("ann", end + timedelta(days=9)) == ["inner", "outer"]


def test_who_is_closed_leaves_with_the_edges(world: World) -> None:
    """A closed group gives nothing any more, and an unknown name is nobody."""
    world.put("person", "ann")
    world.put("group", "inner", "outer")
    world.link("ann", "member_of", "inner")
    world.link("inner", "member_of", "outer")
    world.put("group", "inner", status="closed")
    assert world.groups("ann") == []
    assert world.index.groups_of("urn:au:user:nonsense", NOW) == frozenset()
    assert world.index.groups_of(f"urn:au:app:{world.ids['ann']}", NOW) == frozenset()
    assert not world.index.is_member("urn:au:user:nonsense", world.urn("outer"), NOW)


def test_large_neighbourhoods_are_kept_as_bitmaps(world: World) -> None:
    """A group of many members answers like one of few, and forgets each of them."""
    people = [f"p{number}" for number in range(100)]
    world.put("group", "all")
    world.put("person", *people)
    for name in people:
        world.link(name, "member_of", "all")
    assert len(members(world.index, world.ids["all"], transitive=False)) == 100
    for name in people:
        world.index.unlink(world.ids[name], "member_of", world.ids["all"])
    assert members(world.index, world.ids["all"], transitive=False) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_following_changes_equals_loading_anew(seed: int, changes: int) -> None:
    """After any links and unlinks between groups the kept closures are those of a fresh index, and of brute force."""
    chance = random.Random(seed)  # no secret
    groups = [SubjectId(uuid7()) for _ in range(8)]
    people = [SubjectId(uuid7()) for _ in range(4)]
    followed, edges = GraphIndex(), set[tuple[SubjectId, SubjectId]]()
    for group in groups:
        followed.put(Standing(group, "group", "active"))
    for person in people:
        followed.put(Standing(person, "person", "active"))
    for _ in range(changes):
        number = chance.randrange(12)
        higher = groups[chance.randrange(8)]
        lower = people[number - 8] if number >= 8 else groups[number]
        if lower in groups and groups.index(lower) >= groups.index(higher):
            continue  # the stores refuse circles
        if chance.random() < 0.6:
            edges.add((lower, higher))
            followed.link(lower, "member_of", higher, None)
        else:
            edges.discard((lower, higher))
            followed.unlink(lower, "member_of", higher)
        asked = people[chance.randrange(4)]
        reached, waiting = set[SubjectId](), [asked]
        while waiting:
            here = waiting.pop()
            further = {target for source, target in edges if source == here} - reached
            reached |= further
            waiting.extend(further)
        expected = {subject_urn("group", group) for group in reached}
        assert followed.groups_of(subject_urn("person", asked), NOW) == expected
