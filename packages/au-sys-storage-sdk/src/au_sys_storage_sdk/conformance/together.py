"""What any document backend must do with several documents: batches, transactions, the feed."""

from __future__ import annotations

import asyncio

import pytest

from au_sys_storage_sdk.conformance.given import first
from au_sys_storage_sdk.core.documents.namespace import Delete, Get, Put
from au_sys_storage_sdk.core.errors import Conflict, FeedCompacted, InvalidInput, TooLarge
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.storage import Storage


class TogetherConformance:
    """Several documents, and their changes."""

    async def test_many_answers_each_item(self, storage: Storage) -> None:
        """One failing item hinders no other."""
        space = storage.namespace("things")
        version = await space.put("a", 1)
        answers = await space.many(
            [Put("b", 2), Put("a", 3, if_match=ABSENT), Get("a"), Delete("zzz"), Put("\0", 1), Get("none")]
        )
        assert isinstance(answers[0], int)
        assert isinstance(answers[1], Conflict)
        assert getattr(answers[2], "version", None) == version
        assert answers[3] is False
        assert isinstance(answers[4], InvalidInput)
        assert answers[5] is None
        with pytest.raises(TooLarge, match="1001 items"):
            await space.many([Get("k")] * 1001)

    async def test_many_sees_its_own_earlier_items(self, storage: Storage) -> None:
        """Reads and writes of one key within one call happen in the order given."""
        space = storage.namespace("things")
        answers = await space.many(
            [Get("k"), Put("k", 1), Get("k"), Put("k", 2), Put("k", 3), Get("k"), Delete("k"), Get("k")]
        )
        assert [getattr(answers[place], "value", None) for place in (0, 2, 5, 7)] == [None, 1, 3, None]

    async def test_a_transaction_is_all_or_nothing(self, storage: Storage) -> None:
        """Over two namespaces: a failing check undoes every step, a good one commits them with contiguous versions."""
        one, two = storage.namespace("one"), storage.namespace("two")
        version = await one.put("k", 1)
        before = await storage.sequence()
        failing = storage.transaction()
        failing.put(one, "k", 2)
        failing.delete(one, "k")
        failing.check(two, "k", 99)
        with pytest.raises(Conflict):
            await failing.__aexit__(None, None, None)
        assert (before, None) == (await storage.sequence(), await two.get("k"))
        async with storage.transaction() as steps:
            steps.check(one, "k", version)
            put = steps.put(two, "k", "new", if_match=ABSENT)
            steps.delete(one, "k", if_match=version)
            sums = [steps.increment(two, "counter", 5), steps.increment(two, "counter", -2)]
        assert (before + 1, [5, 3]) == (put.version, [step.value for step in sums])
        found = await two.get("counter")
        assert found is not None
        assert (found.value, await one.get("k")) == (3, None)

    async def test_later_steps_see_earlier_ones(self, storage: Storage) -> None:
        """Within one transaction a key may be created, checked and removed."""
        space = storage.namespace("things")
        async with storage.transaction() as steps:
            steps.put(space, "k", 1, if_match=ABSENT)
            steps.delete(space, "k")
            last = steps.put(space, "k", 2, if_match=ABSENT)
        found = await space.get("k")
        assert found is not None
        assert (2, last.version) == (found.value, found.version)

    async def test_an_error_in_the_block_commits_nothing(self, storage: Storage) -> None:
        """The exception passes, the steps are forgotten."""
        space = storage.namespace("things")
        steps = storage.transaction()
        steps.put(space, "k", 1)
        await steps.__aexit__(RuntimeError, RuntimeError(), None)
        assert await space.get("k") is None

    async def test_only_whole_numbers_are_incremented(self, storage: Storage) -> None:
        """Text, fractions and sums beyond 64 bits are refused."""
        space = storage.namespace("things")
        for value in ("1", 1.5, [1], 2**63 - 1):
            await space.put("k", value)
            steps = storage.transaction()
            steps.increment(space, "k", 1)
            with pytest.raises(InvalidInput, match="increment"):
                await steps.__aexit__(None, None, None)

    async def test_concurrent_increments_lose_nothing(self, storage: Storage) -> None:
        """A hundred increments sum to a hundred."""
        space = storage.namespace("things")

        async def add() -> None:
            async with storage.transaction() as steps:
                steps.increment(space, "k")

        await asyncio.gather(*(add() for _ in range(100)))
        found = await space.get("k")
        assert found is not None
        assert found.value == 100

    async def test_the_feed_is_complete_and_in_order(self, storage: Storage) -> None:
        """A watcher that starts at any point sees every later change of its namespace once, also those to come."""
        space, other = storage.namespace("things"), storage.namespace("other")
        start = await storage.sequence()
        watching = asyncio.create_task(first(space.watch(start), 6))
        a = await space.put("a", 1)
        await other.put("x", 1)
        b = await space.put("b", 1)
        await space.delete("a")
        async with storage.transaction() as steps:
            c = steps.put(space, "c", 1)
            e = steps.emit(space, "note", {"hello": 1})
        d = await space.put("d", 1)
        expected = [(a, "put", "a"), (b, "put", "b"), (b + 1, "delete", "a"), (c.version, "put", "c"),
                    (e.version, "emit", "note"), (d, "put", "d")]  # fmt: skip
        assert expected == await asyncio.wait_for(watching, 10)
        assert expected[2:] == await first(space.watch(b), 4)

    async def test_a_feed_that_was_cut_says_so(self, storage: Storage) -> None:
        """Whoever asks for forgotten changes is told from where to go on."""
        space = storage.namespace("things")
        for number in range(10):
            await space.put(str(number), 1)
        assert await storage.compact(keep=4) == 6
        last = await storage.sequence()
        with pytest.raises(FeedCompacted) as raised:
            await first(space.watch(last - 5), 1)
        assert (last - 5, last) == (raised.value.since, raised.value.snapshot_seq)
        assert [last - 3, last - 2, last - 1, last] == [seq for seq, _, _ in await first(space.watch(last - 4), 4)]
