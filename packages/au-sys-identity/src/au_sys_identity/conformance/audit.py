"""What any audit store must do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from au_sys_identity.core.audit.heads import CheckSignature, Head
from au_sys_identity.core.audit.keeping import Keeping
from au_sys_identity.core.audit.models import HeadKey, Kept, Wanted
from au_sys_identity.core.audit.sequencing import Sequencing
from au_sys_identity.core.audit.tree import Frontier, coordinates, inclusion_ranges, leaf_hash
from au_sys_identity.core.errors import Conflict
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions

_BY = "urn:au:system:test"


class _NoSigner:
    """Signs nothing."""

    async def sign(self, head: Head) -> Head:
        """As it is."""
        return head

    async def trusted(self) -> Mapping[str, bytes]:
        """Nobody."""
        return {}

    async def checks(self) -> CheckSignature:
        """Everything fits."""
        return lambda _key_id, _message, _signature: True


async def _recorded(transactions: Transactions, *actions: str) -> None:
    for action in actions:
        async with transactions.writing() as unit:
            unit.record(Fact(action, _BY, f"urn:au:thing:{action}", details={"of": action}))


def _sequencing(transactions: Transactions, clock: Clock) -> Sequencing:
    return Sequencing(transactions, _NoSigner(), [], clock, head_every=timedelta(hours=1))


def _now() -> datetime:
    return datetime.now(UTC)


async def _actions(transactions: Transactions, wanted: Wanted) -> Sequence[str]:
    async with transactions.reading() as unit:
        return [kept.body.partition('"action":"')[2].partition('"')[0] for kept in await unit.audit.find(wanted)]


class AuditStoreConformance:
    """Events wait, get their places once, are found by what they say, and stay as they are."""

    async def test_events_wait_until_they_are_placed(self, transactions: Transactions) -> None:
        """In the order of their ids; each leaf hashes what is kept, and the nodes above follow."""
        await _recorded(transactions, "one", "two", "three")
        async with transactions.reading() as unit:
            assert (len(await unit.audit.unplaced(10)), await unit.audit.size()) == (3, 0)
        assert await _sequencing(transactions, _now).place_all() == 3
        async with transactions.reading() as unit:
            assert (await unit.audit.unplaced(10), await unit.audit.size()) == ([], 3)
            leaves = await unit.audit.leaves(0, 10)
            frontier = Frontier()
            made = {
                place: hashed for leaf in leaves for place, hashed in frontier.append(leaf_hash(leaf.body.encode()))
            }
            assert [leaf.leaf_index for leaf in leaves] == [0, 1, 2]
            assert [leaf.leaf_hash for leaf in leaves] == [leaf_hash(leaf.body.encode()) for leaf in leaves]
            assert await unit.audit.nodes_completed(0, 3) == made
            path = coordinates(inclusion_ranges(1, 3))
            assert set(await unit.audit.nodes(path)) == set(path)
            second = await unit.audit.get(leaves[1].id)
            assert (second, await unit.audit.at(1), await unit.audit.at(7)) == (leaves[1], leaves[1], None)

    async def test_a_place_is_given_once(self, transactions: Transactions) -> None:
        """Whoever comes second is told."""
        await _recorded(transactions, "one")
        await _sequencing(transactions, _now).place_all()
        async with transactions.reading() as unit:
            (leaf,) = await unit.audit.leaves(0, 1)
        again = [Kept(leaf.id, leaf.at, leaf.body)]
        with pytest.raises(Conflict):
            async with transactions.writing() as unit:
                await unit.audit.sequence(0, again, {(0, 0): leaf_hash(leaf.body.encode())})

    async def test_events_are_found_newest_first(self, transactions: Transactions) -> None:
        """By who, what, whom and outcome, up to a leaf."""
        await _recorded(transactions, "role.granted", "role.withdrawn", "group.created")
        await _sequencing(transactions, _now).place_all()
        assert await _actions(transactions, Wanted()) == ["group.created", "role.withdrawn", "role.granted"]
        assert await _actions(transactions, Wanted(action="role.", before=1)) == ["role.granted"]
        assert await _actions(transactions, Wanted(actor="nobody")) == []
        assert await _actions(transactions, Wanted(target="urn:au:thing:group.created", limit=1)) == ["group.created"]
        assert await _actions(transactions, Wanted(outcome="denied")) == []

    async def test_one_head_of_each_size(self, transactions: Transactions) -> None:
        """Heads and the keys that sign them are kept in their order."""
        heads = [Head(size, bytes([size]) * 32, _now(), "key", b"s" * 64) for size in (1, 2)]
        async with transactions.writing() as unit:
            kept = [await unit.audit.add_head(head) for head in (*heads, heads[0])]
            await unit.audit.add_head_key(HeadKey("key", b"p" * 32, b"sealed", _now()))
        assert kept == [True, True, False]
        async with transactions.reading() as unit:
            assert [head.tree_size for head in await unit.audit.heads(0, 9)] == [1, 2]
            latest = await unit.audit.latest_head()
            assert (latest, await unit.audit.head_of(2), await unit.audit.head_of(3)) == (heads[1], heads[1], None)
            assert [key.key_id for key in await unit.audit.head_keys()] == ["key"]

    async def test_old_events_are_dropped_and_tell_so(self, transactions: Transactions) -> None:
        """Their places and hashes stay, the rest is found, and an event says below which leaf they are gone."""
        await _recorded(transactions, "one", "two")

        def later() -> datetime:
            return _now() + timedelta(days=31)

        sequencing = _sequencing(transactions, _now)
        assert await Keeping(transactions, sequencing, _now).drop(days=30) == 0
        assert await Keeping(transactions, sequencing, later).drop(days=None) == 0
        assert await Keeping(transactions, sequencing, later).drop(days=30) == 2
        await sequencing.place_all()
        async with transactions.reading() as unit:
            leaves = await unit.audit.leaves(0, 9)
            assert (await unit.audit.dropped(), await unit.audit.size()) == (2, 3)
            assert [(leaf.body == "", leaf.leaf_hash is not None) for leaf in leaves] == [(True, True)] * 2 + [
                (False, True)
            ]
            assert await unit.audit.get(leaves[0].id) is None
        assert await _actions(transactions, Wanted()) == ["audit.dropped"]
