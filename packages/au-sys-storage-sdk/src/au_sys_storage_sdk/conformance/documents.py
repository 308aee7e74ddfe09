"""What any document backend must do. Subclass the suite and define the fixture ``storage``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from au_sys_storage_sdk.conformance.keys import HOSTILE_KEYS, ILLEGAL_KEYS
from au_sys_storage_sdk.core.documents.models import Change
from au_sys_storage_sdk.core.documents.namespace import Delete, Get, Put
from au_sys_storage_sdk.core.documents.queries import Filter, In, Prefix, Range
from au_sys_storage_sdk.core.errors import Conflict, Corrupt, FeedCompacted, InvalidInput, NotFound, TooLarge
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.storage import Storage

VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 2**53, 2**63 - 1, 1.5, "", "text", "å\u0000\U0001f512", [], {}, [None, [1, {"a": []}]],
    {"": 1, "a b": {"ä": None}}, "x" * 100_000,
)  # fmt: skip


class Person(msgspec.Struct, frozen=True):
    """A typed value."""

    name: str
    age: int


class Ticking:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


async def first(changes: AsyncIterator[Change], number: int) -> list[tuple[int, str, str]]:
    """Sequence, event and key of the next changes."""
    found: list[tuple[int, str, str]] = []
    async for change in changes:
        found.append((change.seq, change.event, change.key))
        if len(found) == number:
            break
    return found


class DocumentStoreConformance:
    """The tests. ``storage`` is empty and runs on ``clock``."""

    @pytest.fixture
    def clock(self) -> Ticking:
        """The clock that the backend runs on."""
        return Ticking()

    @pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
    async def test_a_value_comes_back_as_it_went_in(self, storage: Storage, value: object) -> None:
        """Every JSON value, null included, and nothing else than it."""
        space = storage.namespace("things")
        version = await space.put("k", value)
        found = await space.get("k")
        assert found is not None
        assert (value, version, "k", None) == (found.value, found.version, found.key, found.expires)
        assert type(value) is type(found.value)

    async def test_nothing_is_found_where_nothing_was_stored(self, storage: Storage) -> None:
        """Reading answers None, deleting False, an empty namespace is an empty page with sequence 0."""
        space = storage.namespace("things")
        page = await space.scan()
        assert (await space.get("k"), await space.delete("k"), await space.take("k")) == (None, False, None)
        assert (page.items, page.after, await space.count(), await space.sequence()) == ((), None, 0, 0)

    async def test_values_are_copied(self, storage: Storage) -> None:
        """Changing a value in memory changes nothing that is stored."""
        space = storage.namespace("things")
        value = {"list": [1]}
        await space.put("k", value)
        value["list"].append(2)
        found = await space.get("k")
        assert found is not None
        found.value["list"].append(3)
        again = await space.get("k")
        assert again is not None
        assert again.value == {"list": [1]}

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")], "\ud800", object(), {1, 2}.__iter__])
    async def test_what_json_cannot_say_is_refused(self, storage: Storage, value: object) -> None:
        """The error names the field; nothing is stored."""
        space = storage.namespace("things")
        with pytest.raises(InvalidInput, match=r"^value: "):
            await space.put("k", value)
        assert await space.get("k") is None

    async def test_a_value_over_the_limit_is_refused(self, storage: Storage) -> None:
        """One byte over 1 MiB is too large; exactly 1 MiB is not."""
        space = storage.namespace("things")
        await space.put("k", "x" * (1024 * 1024 - 2))
        with pytest.raises(TooLarge, match="1048577 bytes"):
            await space.put("k", "x" * (1024 * 1024 - 1))

    async def test_conditions_are_kept(self, storage: Storage) -> None:
        """ABSENT creates once, a version must be the current one, and a refusal tells both versions."""
        space = storage.namespace("things")
        first_version = await space.put("k", 1, if_match=ABSENT)
        with pytest.raises(Conflict) as raised:
            await space.put("k", 2, if_match=ABSENT)
        assert (None, first_version) == (raised.value.expected, raised.value.actual)
        second = await space.put("k", 2, if_match=first_version)
        with pytest.raises(Conflict) as raised:
            await space.put("k", 3, if_match=first_version)
        assert (first_version, second) == (raised.value.expected, raised.value.actual)
        with pytest.raises(Conflict):
            await space.delete("k", if_match=first_version)
        with pytest.raises(Conflict):
            await space.put("new", 1, if_match=second)
        assert await space.delete("k", if_match=second) is True

    async def test_versions_only_grow(self, storage: Storage) -> None:
        """Across keys, namespaces, deletion and re-creation no version returns."""
        one, two = storage.namespace("one"), storage.namespace("two")
        versions = [await one.put("k", 1), await two.put("k", 1), await one.put("k", 1)]
        await one.delete("k")
        versions.append(await one.put("k", 1))
        assert sorted(set(versions)) == versions
        assert versions[-1] == await one.sequence() == await storage.sequence()

    async def test_creation_time_survives_a_new_version(self, storage: Storage, clock: Ticking) -> None:
        """Created stays, updated moves."""
        space = storage.namespace("things")
        born = clock.now
        await space.put("k", 1)
        clock.now += 5
        await space.put("k", 2)
        found = await space.get("k")
        assert found is not None
        assert (born, born + 5) == (found.created, found.updated)

    async def test_one_of_many_racing_writers_wins(self, storage: Storage) -> None:
        """Of 64 writers with the same expectation exactly one succeeds, each round."""
        space = storage.namespace("things")
        version = await space.put("k", 0)
        for _ in range(5):
            puts = [space.put("k", number, if_match=version) for number in range(64)]
            results = await asyncio.gather(*puts, return_exceptions=True)
            winners = [result for result in results if isinstance(result, int)]
            assert (len(winners), sum(isinstance(result, Conflict) for result in results)) == (1, 63)
            version = winners[0]

    async def test_exactly_one_taker_gets_the_document(self, storage: Storage) -> None:
        """Read and delete happens once."""
        space = storage.namespace("things")
        await space.put("ticket", 7)
        taken = await asyncio.gather(*(space.take("ticket") for _ in range(20)))
        assert [found.value for found in taken if found] == [7]

    async def test_time_to_live_ends(self, storage: Storage, clock: Ticking) -> None:
        """At the end of its life a document is gone for every call, its key is free, and a sweep tells the feed."""
        space = storage.namespace("things")
        await space.put("k", 1, ttl=10)
        await space.put("stays", 1)
        clock.now += 9_999
        assert await space.get("k") is not None
        clock.now += 1
        assert (await space.get("k"), await space.count(), list((await space.keys()).items)) == (None, 1, ["stays"])
        before = await storage.sequence()
        assert (await storage.sweep(), await storage.sweep()) == (1, 0)
        assert [(before + 1, "expire", "k")] == await first(space.watch(before), 1)
        await space.put("k", 2, if_match=ABSENT)

    async def test_an_expired_document_is_absent_for_conditions(self, storage: Storage, clock: Ticking) -> None:
        """Before any sweep, ABSENT holds for it and its version does not; it is born anew."""
        space = storage.namespace("things")
        version = await space.put("k", 1, ttl=1)
        clock.now += 1000
        with pytest.raises(Conflict):
            await space.put("k", 2, if_match=version)
        await space.put("k", 2, if_match=ABSENT)
        found = await space.get("k")
        assert found is not None
        assert (clock.now, None) == (found.created, found.expires)

    @pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), 1e18])
    async def test_a_senseless_time_to_live_is_refused(self, storage: Storage, ttl: float) -> None:
        """Zero, negative, endless and not a number."""
        with pytest.raises(InvalidInput, match=r"^ttl: "):
            await storage.namespace("things").put("k", 1, ttl=ttl)

    async def test_pages_join_to_the_whole(self, storage: Storage) -> None:
        """In code-point order, also beyond the basic plane, by limit and by bytes."""
        space = storage.namespace("things")
        keys = sorted(["a", "b/1", "b/2", "b/3", "b\uffff", "b\U0001f512", "c", "é", "\uff00", "\U0001f512"])
        await asyncio.gather(*(space.put(key, key * 10) for key in keys))
        for limit, size in ((3, 10_000), (1000, 60), (1000, 10_000)):
            found: list[str] = []
            after: str | None = ""
            while after is not None:
                page = await space.scan(after=after, limit=limit, max_bytes=size)
                found += [item.key for item in page.items]
                after = page.after
            assert keys == found
        assert keys == list((await space.keys()).items)
        assert len(keys) == await space.count()

    async def test_a_prefix_cuts(self, storage: Storage) -> None:
        """Prefixes are text, not patterns, and combine with the cursor."""
        space = storage.namespace("things")
        for key in ("a", "b", "b%", "b%x", "b_", "bc", "b\U0010ffff", "c"):
            await space.put(key, key)
        assert [item.key for item in (await space.scan("b%")).items] == ["b%", "b%x"]
        assert list((await space.keys("b%", after="b%")).items) == ["b%x"]
        assert list((await space.keys("b", after="a")).items) == ["b", "b%", "b%x", "b_", "bc", "b\U0010ffff"]
        assert (list((await space.keys("b", after="c")).items), await space.count("b")) == ([], 6)

    async def test_a_cursor_survives_writes(self, storage: Storage) -> None:
        """Deleting the key that the cursor names, and adding keys before it, skips and repeats nothing."""
        space = storage.namespace("things")
        for key in "bdfh":
            await space.put(key, 1)
        page = await space.keys(limit=2)
        await space.delete("d")
        await space.put("a", 1)
        await space.put("g", 1)
        assert (page.after, list((await space.keys(after=page.after or "")).items)) == ("d", ["f", "g", "h"])

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    async def test_a_limit_out_of_range_is_refused(self, storage: Storage, limit: int) -> None:
        """1 to 1,000."""
        with pytest.raises(InvalidInput, match=r"^limit: "):
            await storage.namespace("things").scan(limit=limit)

    async def test_namespaces_and_tenants_are_apart(self, storage: Storage) -> None:
        """The same key elsewhere is another document."""
        await storage.namespace("one").put("k", 1)
        assert await storage.namespace("two").get("k") is None
        assert await storage.for_tenant("other").namespace("one").get("k") is None
        assert [(used.tenant, used.namespace, used.count, used.size) for used in await storage.usage()] == [
            ("default", "one", 1, 1)
        ]

    @pytest.mark.parametrize("key", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
    async def test_hostile_keys_are_only_names(self, storage: Storage, key: str) -> None:
        """Traversal, patterns and quotes mean nothing."""
        space = storage.namespace("things")
        await space.put("neighbour", 0)
        await space.put(key, 1)
        found = await space.get(key)
        assert found is not None
        assert (1, [key]) == (found.value, list((await space.keys(key)).items))
        assert (await space.delete(key), await space.count()) == (True, 1)

    @pytest.mark.parametrize("key", ILLEGAL_KEYS, ids=range(len(ILLEGAL_KEYS)))
    async def test_illegal_keys_are_refused(self, storage: Storage, key: str) -> None:
        """The error names the field and the rule before anything is touched."""
        with pytest.raises(InvalidInput, match=r"^key: "):
            await storage.namespace("things").put(key, 1)

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

    async def test_a_patch_changes_parts(self, storage: Storage, clock: Ticking) -> None:
        """Merge patch and JSON patch; the end of life stays; conditions are kept."""
        space = storage.namespace("things")
        version = await space.put("k", {"a": 1, "b": {"c": 2}}, ttl=100)
        clock.now += 50_000
        await space.patch("k", {"b": {"c": None, "d": [1]}, "e": "x"})
        await space.patch("k", [{"op": "add", "path": "/b/d/-", "value": 2}, {"op": "remove", "path": "/a"}])
        found = await space.get("k")
        assert found is not None
        assert ({"b": {"d": [1, 2]}, "e": "x"}, clock.now + 50_000) == (found.value, found.expires)
        with pytest.raises(Conflict):
            await space.patch("k", {"a": 1}, if_match=version)
        with pytest.raises(NotFound):
            await space.patch("none", [{"op": "test", "path": "", "value": 1}])

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

    async def test_typed_values_are_checked_both_ways(self, storage: Storage) -> None:
        """A wrong value is refused on the way in, and reported as damage on the way out."""
        typed, plain = storage.namespace("people", Person), storage.namespace("people")
        await typed.put("ada", Person("Ada", 36))
        found = await typed.get("ada")
        assert found is not None
        assert Person("Ada", 36) == found.value
        with pytest.raises(InvalidInput):
            await typed.put("bob", Person("Bob", "old"))  # type: ignore[arg-type]  # the wrong type is the point
        await plain.put("bob", {"name": "Bob"})
        with pytest.raises(Corrupt, match="Person"):
            await typed.get("bob")

    async def test_plain_values_have_schemas_too(self, storage: Storage) -> None:
        """Without a model a value is raised by the same steps."""
        await storage.namespace("things").put("k", {"a": 1})
        space = storage.namespace("things", schema=2, upcast={1: lambda old: {**old, "b": 2}})
        found = await space.get("k")
        assert found is not None
        assert found.value == {"a": 1, "b": 2}
        await space.put("k", {"b": 3})
        again = await space.get("k")
        assert again is not None
        assert again.value == {"b": 3}

    async def test_queries_find_by_declared_fields(self, storage: Storage) -> None:
        """Equality, range, one of several and prefix, together; by key in pages, or by a field."""
        people = storage.namespace("people", Person, fields=("name", "age"))
        for number, name in enumerate(("Ada", "Alan", "Anna", "Bob", "Bo", "Alva")):
            await people.put(str(number), Person(name, 30 + number % 3))
        asked: tuple[tuple[Filter, str], ...] = (
            ({"name": "Bob"}, "3"), ({"age": Range(31)}, "1245"), ({"age": Range(30, 31)}, "03"), ({}, "012345"),
            ({"name": In(["Ada", "Bo", None])}, "04"), ({"name": Prefix("Al")}, "15"), ({"name": Range("B")}, "34"),
            ({"name": Prefix("A"), "age": Range(end=32)}, "01"), ({"age": "31"}, ""), ({"age": True}, ""),
        )  # fmt: skip
        for where, expected in asked:
            page = await people.query(where)
            assert list(expected) == [item.key for item in page.items], where
            assert len(expected) == await people.count(where=where)
        page = await people.query({"age": Range(31)}, limit=2)
        assert [item.key for item in page.items] == ["1", "2"]
        rest = await people.query({"age": Range(31)}, after=page.after or "")
        assert ([item.key for item in rest.items], rest.after) == (["4", "5"], None)
        for order, expected in (("age", "03142"), ("-age", "25140"), ("name", "01524")):
            page = await people.query({}, order=order, limit=5)
            assert list(expected) == [item.key for item in page.items], order

    async def test_senseless_queries_are_refused(self, storage: Storage) -> None:
        """Fields that are not declared, ranges without a bound or of two kinds, a cursor through another order."""
        people = storage.namespace("people", fields=("name", "address.city"))
        await people.put("k", {"name": "Ada", "address": {"city": "Umeå"}})
        assert [item.key for item in (await people.query({"address.city": "Umeå"})).items] == ["k"]
        with pytest.raises(InvalidInput, match=r"'age' is not a declared field; use one of: name, address\.city"):
            await people.query({"age": 1})
        for bad in (Range(), Range(1, "2"), In([[1]])):  # type: ignore[list-item]  # the wrong type is the point
            with pytest.raises(InvalidInput, match=r"^query: "):
                await people.query({"name": bad})
        with pytest.raises(InvalidInput, match=r"^after: "):
            await people.query({}, order="name", after="k")

    async def test_a_cancelled_write_is_whole_or_not_at_all(self, storage: Storage) -> None:
        """Whether it committed is unknown; both keys of the transaction are there or none, and writing goes on."""
        space = storage.namespace("things")

        async def write(number: int) -> None:
            async with storage.transaction() as steps:
                steps.put(space, f"{number}/a", number)
                steps.put(space, f"{number}/b", number)

        for number in range(5):
            task = asyncio.create_task(write(number))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await space.put("after", number)
            assert await space.count(f"{number}/") in (0, 2)

    async def test_old_schemas_are_raised_on_read(self, storage: Storage) -> None:
        """Each step is applied in order; a missing step is refused when the namespace is made."""
        await storage.namespace("people").put("ada", {"first": "Ada", "years": "36"})
        people = storage.namespace(
            "people",
            Person,
            schema=3,
            upcast={1: lambda old: {"name": old["first"], "years": old["years"]},
                    2: lambda old: {"name": old["name"], "age": int(old["years"])}},
        )  # fmt: skip
        found = await people.get("ada")
        assert found is not None
        assert Person("Ada", 36) == found.value
        with pytest.raises(InvalidInput, match="schema 2 is missing"):
            storage.namespace("people", Person, schema=3, upcast={1: lambda old: old})
        await people.put("bob", Person("Bob", 1))
        with pytest.raises(Corrupt, match="schema 3"):
            await storage.namespace("people", Person, schema=2, upcast={1: lambda old: old}).get("bob")
