"""py-key-value's protocol over our storage: its contract, its adapters and wrappers on top of us, its errors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from key_value.aio.adapters.pydantic import PydanticAdapter
from key_value.aio.errors import (
    InvalidKeyError,
    InvalidTTLError,
    SerializationError,
    StoreConnectionError,
    ValueTooLargeError,
)
from key_value.aio.protocols import AsyncKeyValue
from key_value.aio.protocols.key_value import (
    AsyncCullProtocol,
    AsyncDestroyCollectionProtocol,
    AsyncEnumerateCollectionsProtocol,
    AsyncEnumerateKeysProtocol,
)
from key_value.aio.wrappers.prefix_keys import PrefixKeysWrapper
from pydantic import BaseModel

from au_sys_storage_sdk import Storage, open_storage
from au_sys_storage_sdk.adapters.key_value.store import StorageKeyValue
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.given import Ticking


class Person(BaseModel):
    """A typed value."""

    name: str


@pytest.fixture
async def storage(clock: Ticking) -> AsyncIterator[Storage]:
    """An empty storage."""
    async with Storage(MemoryDocuments(clock=clock)) as opened:
        yield opened


@pytest.fixture
def clock() -> Ticking:
    """The clock of storage and adapter."""
    return Ticking()


@pytest.fixture
def store(storage: Storage, clock: Ticking) -> StorageKeyValue:
    """The adapter."""
    return StorageKeyValue(storage, clock=clock)


def test_the_protocols_are_kept(store: StorageKeyValue) -> None:
    """By the library's own definition."""
    for protocol in (
        AsyncKeyValue, AsyncCullProtocol, AsyncEnumerateKeysProtocol, AsyncEnumerateCollectionsProtocol,
        AsyncDestroyCollectionProtocol,
    ):  # fmt: skip
        assert isinstance(store, protocol)


async def test_values_come_and_go(store: StorageKeyValue) -> None:
    """One by one and many at once, in collections of any name."""
    assert await store.get("k") is None
    await store.put("k", {"a": 1})
    await store.put("k", {"a": 2}, collection="å/b c")
    assert (await store.get("k"), await store.get("k", collection="å/b c")) == ({"a": 1}, {"a": 2})
    await store.put_many(["x", "y"], [{"n": 1}, {"n": 2}], collection="more")
    assert await store.get_many(["y", "none", "x"], collection="more") == [{"n": 2}, None, {"n": 1}]
    assert await store.keys("more") == ["x", "y"]
    assert await store.keys("more", limit=1) == ["x"]
    assert sorted(await store.collections()) == ["default_collection", "more", "å/b c"]
    assert (await store.delete("k"), await store.delete("k")) == (True, False)
    assert await store.delete_many(["x", "none"], collection="more") == 1
    assert (await store.destroy_collection("more"), await store.destroy_collection("more")) == (True, False)


async def test_many_more_than_a_commit_takes(store: StorageKeyValue) -> None:
    """More than 1,000 keys at once."""
    keys = [f"{number:05}" for number in range(1500)]
    await store.put_many(keys, [{"n": number} for number in range(1500)])
    assert await store.keys() == keys
    assert (await store.get_many(keys))[-1] == {"n": 1499}
    assert await store.delete_many(keys) == 1500


async def test_time_to_live_is_told_and_ends(store: StorageKeyValue, clock: Ticking, storage: Storage) -> None:
    """In seconds; culling removes what has ended."""
    await store.put("k", {"a": 1}, ttl=10)
    await store.put("stays", {"a": 1})
    clock.now += 4000
    assert await store.ttl_many(["k", "stays", "none"]) == [({"a": 1}, 6.0), ({"a": 1}, None), (None, None)]
    clock.now += 6000
    assert await store.ttl("k") == (None, None)
    await store.cull()
    assert await storage.sweep() == 0


async def test_its_adapters_and_wrappers_sit_on_us(store: StorageKeyValue) -> None:
    """A pydantic adapter over a wrapper over our store."""
    prefixed = PrefixKeysWrapper(key_value=store, prefix="p")
    people = PydanticAdapter(key_value=prefixed, pydantic_model=Person)
    await people.put("ada", Person(name="Ada"))
    assert await people.get("ada") == Person(name="Ada")
    assert len(await store.keys()) == 1


async def test_errors_are_those_of_the_protocol(store: StorageKeyValue, storage: Storage) -> None:
    """Bad times, keys and values, too much, and a closed storage."""
    for ttl in (0, -1, float("nan")):
        with pytest.raises(InvalidTTLError):
            await store.put("k", {}, ttl=ttl)
    with pytest.raises(InvalidKeyError):
        await store.put("a\0b", {})
    with pytest.raises(SerializationError):
        await store.put("k", {"a": object()})
    with pytest.raises(ValueTooLargeError):
        await store.put("k", {"a": "x" * 2_000_000})
    await storage.close()
    with pytest.raises(StoreConnectionError):
        await store.get("k")


async def test_values_survive_a_restart(tmp_path: Path) -> None:
    """On a durable backend."""
    url = f"sqlite://{tmp_path}/documents.db"
    async with open_storage(url) as storage:
        await StorageKeyValue(storage).put("k", {"a": 1})
    async with open_storage(url) as storage:
        assert await StorageKeyValue(storage).get("k") == {"a": 1}
