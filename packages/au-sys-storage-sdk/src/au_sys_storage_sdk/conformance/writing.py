"""What any document backend must do with single documents: values, conditions, versions, lives."""

from __future__ import annotations

import asyncio

import pytest

from au_sys_storage_sdk.conformance.given import Ticking, first
from au_sys_storage_sdk.core.errors import Conflict, InvalidInput, NotFound, TooLarge
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.storage import Storage

VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 2**53, 2**63 - 1, 1.5, "", "text", "å\u0000\U0001f512", [], {}, [None, [1, {"a": []}]],
    {"": 1, "a b": {"ä": None}}, "x" * 100_000,
)  # fmt: skip


class WritingConformance:
    """One document at a time."""

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
