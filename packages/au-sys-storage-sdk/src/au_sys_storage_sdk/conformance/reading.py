"""What any document backend must do when it is asked: pages, prefixes, names, types, queries."""

from __future__ import annotations

import asyncio

import pytest

from au_sys_storage_sdk.conformance.given import Person
from au_sys_storage_sdk.conformance.keys import HOSTILE_KEYS, ILLEGAL_KEYS
from au_sys_storage_sdk.core.documents.queries import Filter, In, Prefix, Range
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput
from au_sys_storage_sdk.core.storage import Storage


class ReadingConformance:
    """Finding documents, and what they are."""

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
