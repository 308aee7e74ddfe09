"""What any store of machines and edges inside one unit of work must do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from au_sys_identity.core.errors import Stale
from au_sys_identity.core.graph.models import Edge
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.machines.models import Machine
from au_sys_identity.core.machines.ports import MachineFilter
from au_sys_identity.core.ports import Transactions
from au_sys_identity.core.subjects.models import Person, SubjectId
from au_sys_identity.core.tokens.models import ApiKey

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_machine(name: str = "Importer") -> Machine:
    """A new active service account."""
    return Machine(SubjectId(uuid7()), "app", name, "Nightly import", "active", NOW, NOW)


class MachineStoreConformance:
    """Machines, the edges to who answers for them, and the rotation of their keys."""

    async def test_a_machine_comes_back_equal(self, transactions: Transactions) -> None:
        """Every field is read back, after a change too; a lost update is refused; it is no person."""
        made = a_machine()
        stopped = made.turned("disabled", LATER, reason="leaked")
        async with transactions.writing() as unit:
            await unit.machines.add(made)
            assert await unit.machines.get(made.id) == made
            assert await unit.subjects.get(made.id) is None
            await unit.machines.save(stopped, expected_version=made.version)
            assert await unit.machines.get(made.id) == stopped
            assert await unit.machines.get(SubjectId(uuid7())) is None
        with pytest.raises(Stale):
            async with transactions.writing() as unit:
                await unit.machines.save(stopped, expected_version=made.version)

    async def test_machines_are_listed_by_kind_status_and_page(self, transactions: Transactions) -> None:
        """In the order of their ids, closed ones left out."""
        first, second, closed = a_machine("One"), replace(a_machine("Two"), status="disabled"), a_machine("Three")
        async with transactions.writing() as unit:
            for machine in (first, second, replace(closed, status="closed")):
                await unit.machines.add(machine)
            assert await unit.machines.page(MachineFilter()) == [first, second]
            assert await unit.machines.page(MachineFilter(limit=1)) == [first]
            assert await unit.machines.page(MachineFilter(after=first.id)) == [second]
            assert await unit.machines.page(MachineFilter(status="active")) == [first]
            assert await unit.machines.page(MachineFilter(kind="agent")) == []
            assert await unit.machines.page(MachineFilter(q=first.name.upper(), limit=1)) == [first]
            assert await unit.machines.page(MachineFilter(q="%")) == []
            assert await unit.machines.page(MachineFilter(among=frozenset({second.id, closed.id}))) == [second]
            assert await unit.machines.page(MachineFilter(among=frozenset())) == []
            assert await unit.machines.many([second.id, closed.id]) == [second, replace(closed, status="closed")]

    async def test_an_edge_is_linked_once_and_found_from_both_ends(self, transactions: Transactions) -> None:
        """Linking again changes nothing, and so does unlinking what is not there."""
        ann = Person(SubjectId(uuid7()), "ann@example.org", "ann@example.org", "Ann", "active", NOW, NOW)
        machine = a_machine()
        edge = Edge(ann.id, "owner_of", machine.id, NOW, ann.urn, expires_at=LATER)
        async with transactions.writing() as unit:
            await unit.subjects.add(ann)
            await unit.machines.add(machine)
            assert [await unit.edges.link(edge), await unit.edges.link(edge)] == [True, False]
            assert await unit.edges.into(machine.id, "owner_of") == [edge]
            assert await unit.edges.out_of(ann.id, "owner_of") == [edge]
            assert await unit.edges.out_of(machine.id, "owner_of") == []
            unlinked = [await unit.edges.unlink(ann.id, "owner_of", machine.id) for _ in range(2)]
            assert unlinked == [True, False]
            assert await unit.edges.into(machine.id, "owner_of") == []

    async def test_a_key_has_one_successor(self, transactions: Transactions) -> None:
        """The first rotation wins; a revoked key is not rotated."""
        machine = a_machine()

        def key(public_id: str) -> ApiKey:
            return ApiKey(
                uuid7(), public_id, b"h" * 32, machine.id, "Key", frozenset({"a.b.c"}), NOW, LATER, created_by="urn:x"
            )

        first, successor, revoked = key("a" * 12), key("b" * 12), key("c" * 12)
        async with transactions.writing() as unit:
            await unit.machines.add(machine)
            for made in (first, successor, revoked):
                await unit.api_keys.add(made)
            await unit.api_keys.revoke(revoked.id, at=NOW)
            asked = [(first.id, successor.id), (first.id, uuid7()), (revoked.id, uuid7())]
            won = [await unit.api_keys.supersede(old, new, overlap_until=LATER) for old, new in asked]
            assert won == [True, False, False]
            assert await unit.api_keys.get(first.id) == replace(first, superseded_by=successor.id, overlap_until=LATER)
