"""Rules of a namespace that hold over every backend."""

from datetime import timedelta

import pytest

from au_sys_storage_sdk import ABSENT, Conflict, Storage, open_storage
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.core.documents.namespace import milliseconds
from au_sys_storage_sdk.core.errors import InvalidInput


def test_times_to_live_are_whole_milliseconds() -> None:
    """Seconds, fractions and timedeltas; at least one millisecond."""
    assert (
        milliseconds(None), milliseconds(1.5), milliseconds(1e-9), milliseconds(timedelta(minutes=1))
    ) == (None, 1500, 1, 60_000)  # fmt: skip


async def test_change_tries_again_when_something_came_between() -> None:
    """The work sees the newest value each time and nothing is lost."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")
        await space.put("k", 1)
        seen: list[int] = []
        other = space.put_operation("k", 10)

        def add(value: int) -> int:
            seen.append(value)
            return value + 1

        original = storage.store.get

        async def interfering(where: object, key: str) -> object:
            found = await original(where, key)  # type: ignore[arg-type]  # passed on as it came
            if not seen:
                await storage.store.commit((other,))
            return found

        storage.store.get = interfering  # type: ignore[method-assign,assignment]  # another writer, in the gap
        await space.change("k", add)
        found = await space.get("k")
        assert found is not None
        assert (seen, found.value) == ([1, 10], 11)


async def test_a_patch_may_create_under_absent() -> None:
    """A merge patch of nothing is a creation; ABSENT is kept."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")
        await space.patch("k", {"a": 1, "b": None}, if_match=ABSENT)
        found = await space.get("k")
        assert found is not None
        assert found.value == {"a": 1}
        with pytest.raises(Conflict):
            await space.patch("k", {"a": 2}, if_match=ABSENT)


async def test_a_patch_must_leave_a_value_of_the_model() -> None:
    """A result that does not fit is refused and nothing is stored."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("numbers", dict[str, int])
        await space.put("k", {"a": 1})
        with pytest.raises(InvalidInput, match="does not fit"):
            await space.patch("k", {"a": "x"})
        found = await space.get("k")
        assert found is not None
        assert found.value == {"a": 1}


async def test_a_change_without_a_model_keeps_the_schema() -> None:
    """Who patches what another program stored under its third schema leaves it a document of the third schema."""
    async with Storage(MemoryDocuments()) as storage:
        await storage.namespace("things", dict, schema=3, upcast={2: dict}).put("k", {"a": 1})
        plain = storage.namespace("things")
        await plain.patch("k", {"b": 2})
        found = await plain.get_text("k")
        assert found is not None
        assert (found.schema, found.value) == (3, b'{"a":1,"b":2}')
