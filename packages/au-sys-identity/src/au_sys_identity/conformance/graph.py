"""What any store of edges, groups, providers, organizations and their feed inside one unit of work must do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from au_sys_identity.core.errors import Conflict, Stale
from au_sys_identity.core.freshness import GRAPH
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.groups.models import Group
from au_sys_identity.core.groups.ports import GroupFilter
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Machine, Provider
from au_sys_identity.core.organizations.models import (
    DEFAULT_ORGANIZATION,
    AuthorizedOrganizationId,
    Membership,
    Organization,
)
from au_sys_identity.core.organizations.ports import MemberFilter
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import Named, Person, SubjectId
from au_sys_identity.core.subjects.ports import Standing

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_group(name: str = "Night shift") -> Group:
    """A new group of the organization that is always there."""
    return Group(SubjectId(uuid7()), name, "Who is awake", DEFAULT_ORGANIZATION, NOW, NOW)


def a_provider(name: str = "Acme AI") -> Provider:
    """A new active provider."""
    return Provider(SubjectId(uuid7()), name, "Acme", NOW, NOW, ("acme-1",), "eu", "https://acme.example")


def an_agent(provider: SubjectId | None = None) -> Machine:
    """A new active agent."""
    return Machine(
        SubjectId(uuid7()), "agent", "Helper", "Sorts mail", "active", NOW, NOW,
        provider=provider, model_names=("acme-1", "acme-2*"), provenance="built here", hosting="eu-north",
        stopped_with=provider,
    )  # fmt: skip


def somebody(address: str = "ann@example.org") -> Person:
    """A new active person."""
    return Person(SubjectId(uuid7()), address, address, "Ann", "active", NOW, NOW)


class GraphStoreConformance:
    """Edges, their feed, and the subjects that sign in nowhere."""

    async def test_edges_are_found_by_many_ends_and_named_by_their_id(self, transactions: Transactions) -> None:
        """Sealed attributes and end come back; what ran out can be removed."""
        ann, first, second = somebody(), a_group("One"), a_group("Two")
        joins = Edge(ann.id, "member_of", first.id, NOW, ann.urn, sealed=b"sealed")
        nests = Edge(first.id, "member_of", second.id, NOW, ann.urn, expires_at=LATER)
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            await unit.groups.add(first)
            await unit.groups.add(second)
            assert [await unit.edges.link(joins), await unit.edges.link(nests)] == [True, True]
            assert await unit.edges.get(ann.id, "member_of", first.id) == joins
            assert await unit.edges.get(ann.id, "owner_of", first.id) is None
            assert await unit.edges.leaving([ann.id, first.id], "member_of") == sorted(
                [joins, nests], key=lambda edge: edge.source
            )
            assert await unit.edges.entering([first.id, second.id], "owner_of") == []
            every = [link async for portion in unit.edges.every() for link in portion]
            assert set(every) == {
                (ann.id, "member_of", first.id, None), (first.id, "member_of", second.id, LATER)
            }  # fmt: skip
            assert await unit.edges.forget_before(NOW) == 0
            assert await unit.edges.forget_before(LATER + timedelta(seconds=1)) == 1
            assert await unit.edges.into(second.id, "member_of") == []

    async def test_the_feed_tells_what_changed_in_order(self, transactions: Transactions) -> None:
        """Versions are whole; a version that nothing was told about is a gap."""
        ann, group = somebody(), a_group()
        async with transactions.reading() as unit:
            before = (await unit.versions.read()).get(GRAPH, 0)
            assert await unit.feed.since(GRAPH, before) == []
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            await unit.groups.add(group)
            await unit.edges.link(Edge(ann.id, "member_of", group.id, NOW, ann.urn))
            await unit.edges.unlink(ann.id, "member_of", group.id)
        async with transactions.reading() as unit:
            told = await unit.feed.since(GRAPH, before)
            assert told is not None
            assert [(entry.version - before, entry.operation) for entry in told][-4:] == [
                (len(told) - 3, "subject"),
                (len(told) - 2, "subject"),
                (len(told) - 1, "link"),
                (len(told), "unlink"),
            ]
            assert told[-4].payload == {"id": str(ann.id), "kind": "person", "status": "active", "provider": None}
            assert await unit.feed.since(GRAPH, told[-1].version) == []
        async with transactions.writing() as unit:
            await unit.versions.raise_topic(GRAPH)
            assert await unit.feed.since(GRAPH, told[-1].version) is None
            await unit.feed.append(GRAPH, "subject", {"id": str(ann.id), "kind": "person", "status": "closed"})
            assert await unit.feed.since(GRAPH, told[-1].version) is None

    async def test_agents_and_providers_come_back_equal(self, transactions: Transactions) -> None:
        """Every field is read back, after a change too; a name is taken once; closed ones are left out."""
        provider = a_provider()
        agent = an_agent(provider.id)
        stopped = replace(provider, status="disabled", status_reason="leaked", version=2, epoch=2, updated_at=LATER)
        async with transactions.writing() as unit:
            await unit.providers.add(provider)
            await unit.machines.add(agent)
            assert await unit.providers.get(provider.id) == provider
            assert await unit.machines.get(agent.id) == agent
            assert await unit.machines.of_provider(provider.id) == [agent]
            assert (await unit.names.get(agent.id)) == Named(
                agent.id, "agent", "Helper", "active", DEFAULT_ORGANIZATION
            )
            every = [one async for portion in unit.names.every() for one in portion]
            assert Standing(agent.id, "agent", "active", provider.id) in every
            await unit.providers.save(stopped, expected_version=1)
            assert await unit.providers.every() == [stopped]
            assert await unit.providers.every("active") == []
        with pytest.raises(Conflict):
            async with transactions.writing() as unit:
                await unit.providers.add(a_provider())
        with pytest.raises(Stale):
            async with transactions.writing() as unit:
                await unit.providers.save(stopped, expected_version=1)

    async def test_groups_come_back_equal(self, transactions: Transactions) -> None:
        """By page, name and owner; a name is taken once in an organization until it is closed."""
        ann, group, other = somebody(), a_group("Night shift"), a_group("Day shift")
        renamed = replace(group, name="Late shift", version=2, updated_at=LATER)
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            await unit.groups.add(group)
            await unit.groups.add(other)
            await unit.edges.link(Edge(ann.id, "owner_of", other.id, NOW, ann.urn))
            await unit.groups.save(renamed, expected_version=1)
            assert await unit.groups.get(group.id) == renamed
            assert await unit.groups.page(GroupFilter()) == [renamed, other]
            assert await unit.groups.page(GroupFilter(q="LATE")) == [renamed]
            assert await unit.groups.page(GroupFilter(owner=ann.id)) == [other]
            assert await unit.groups.page(GroupFilter(after=group.id, limit=1)) == [other]
            assert await unit.groups.page(GroupFilter(organization_id=uuid7())) == []
        with pytest.raises(Conflict):
            async with transactions.writing() as unit:
                await unit.groups.add(a_group("Day shift"))
        async with transactions.writing() as unit:
            await unit.groups.save(replace(other, status="closed", version=2), expected_version=1)
            await unit.groups.add(a_group("Day shift"))

    async def test_organizations_have_members(self, transactions: Transactions) -> None:
        """One is there from the start; a slug is taken once; members join once and leave once."""
        ann = somebody()
        acme = Organization(uuid7(), "acme", "Acme", NOW, NOW)
        own = AuthorizedOrganizationId(acme.id)
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            await unit.organizations.add(acme)
            assert await unit.organizations.by_slug("acme") == await unit.organizations.get(acme.id) == acme
            assert [known.slug for known in await unit.organizations.every()] == ["acme", "default"]
            joined = Membership(acme.id, ann.id, NOW, ann.urn)
            assert [await unit.organizations.join(joined) for _ in range(2)] == [True, False]
            assert await unit.organizations.members(own, MemberFilter()) == [joined]
            assert await unit.organizations.members(own, MemberFilter(after=ann.id)) == []
            assert await unit.organizations.of_subject(ann.id) == [acme]
            assert await unit.organizations.membership(acme.id, ann.id) == joined
            assert [await unit.organizations.leave(own, ann.id) for _ in range(2)] == [True, False]
            renamed = replace(acme, name="Acme & Co", version=2, updated_at=LATER)
            await unit.organizations.save(renamed, expected_version=1)
            assert not await unit.organizations.holds_something(own)
            await unit.groups.add(replace(a_group(), organization_id=acme.id))
            assert await unit.organizations.holds_something(own)
        with pytest.raises(Conflict):
            async with transactions.writing() as unit:
                await unit.organizations.add(replace(acme, id=uuid7()))
        with pytest.raises(Stale):
            async with transactions.writing() as unit:
                await unit.organizations.save(renamed, expected_version=1)
