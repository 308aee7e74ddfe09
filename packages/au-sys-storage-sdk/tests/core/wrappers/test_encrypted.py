"""Sealed values: nothing readable on the disk, nothing moved or rolled back, keys changed while in use."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_storage_sdk import Storage, Unavailable
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.adapters.sqlite.documents import SqliteDocuments
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Put
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput
from au_sys_storage_sdk.core.wrappers.encrypted import Encrypted
from au_sys_storage_sdk.core.wrappers.keys import KeyRing

OLD, NEW = b"o" * 32, b"n" * 32
SPACE = Space("default", "things")


async def test_nothing_readable_reaches_the_disk(tmp_path: Path) -> None:
    """Neither the file nor its log contain the text, of documents and of events."""
    store = Encrypted(await SqliteDocuments.open(tmp_path / "documents.db"), KeyRing({1: OLD}))
    async with Storage(store) as storage:
        space = storage.namespace("things")
        await space.put("k", {"secret": "plaintext-marker" * 50})
        async with storage.transaction() as steps:
            steps.emit(space, "event", "plaintext-marker")
        for path in tmp_path.iterdir():
            assert b"plaintext-marker" not in path.read_bytes()
        found = await space.get("k")
        assert found is not None
        assert found.value == {"secret": "plaintext-marker" * 50}
        changes, _ = await store.changes(0, 10)
        assert [change.data for change in changes] == [None, b'"plaintext-marker"']
    for path in tmp_path.iterdir():
        assert b"plaintext-marker" not in path.read_bytes()


def _swapped(records: dict[str, Stored], old: Stored) -> None:
    a, b = records["a"], records["b"]
    records["a"] = Stored("a", b.value, a.version, 0, 0, codec=1, key_generation=1)


def _replayed(records: dict[str, Stored], old: Stored) -> None:
    records["a"] = Stored("a", old.value, records["a"].version, 0, 0, codec=1, key_generation=1)


def _truncated(records: dict[str, Stored], old: Stored) -> None:
    records["a"] = Stored("a", records["a"].value[:-1], records["a"].version, 0, 0, codec=1, key_generation=1)


def _emptied(records: dict[str, Stored], old: Stored) -> None:
    records["a"] = Stored("a", b"", records["a"].version, 0, 0, codec=1, key_generation=1)


def _flipped(records: dict[str, Stored], old: Stored) -> None:
    value = records["a"].value
    bent = value[:20] + bytes([value[20] ^ 1]) + value[21:]
    records["a"] = Stored("a", bent, records["a"].version, 0, 0, codec=1, key_generation=1)


def _plain(records: dict[str, Stored], old: Stored) -> None:
    records["a"] = Stored("a", b'"forged"', records["a"].version, 0, 0)


def _schema(records: dict[str, Stored], old: Stored) -> None:
    records["a"] = Stored("a", records["a"].value, records["a"].version, 0, 0, schema=2, codec=1, key_generation=1)


@pytest.mark.parametrize("attack", [_swapped, _replayed, _truncated, _emptied, _flipped, _plain, _schema])
async def test_a_record_is_only_what_it_was_sealed_as(attack: Callable[[dict[str, Stored], Stored], None]) -> None:
    """Swapped, replayed, truncated, bent, forged and relabelled records are Corrupt on get and scan."""
    inner = MemoryDocuments()
    async with Storage(Encrypted(inner, KeyRing({1: OLD}))) as storage:
        space = storage.namespace("things")
        await space.put("a", 1)
        old = inner._records[SPACE]["a"]
        await space.put("a", 2)
        await space.put("b", 3)
        attack(inner._records[SPACE], old)
        with pytest.raises(Corrupt):
            await space.get("a")
        with pytest.raises(Corrupt):
            await space.scan()
        found = await space.get("b")
        assert found is not None
        assert found.value == 3


async def test_a_record_of_another_namespace_or_tenant_is_refused() -> None:
    """The address is sealed in."""
    inner = MemoryDocuments()
    async with Storage(Encrypted(inner, KeyRing({1: OLD}))) as storage:
        await storage.namespace("things").put("a", 1)
        record = inner._records[SPACE]["a"]
        for space in (Space("default", "other"), Space("other", "things")):
            inner._place(space, "a", record)
        with pytest.raises(Corrupt):
            await storage.namespace("other").get("a")
        with pytest.raises(Corrupt):
            await storage.for_tenant("other").namespace("things").get("a")


async def test_keys_are_changed_while_in_use() -> None:
    """Old documents stay readable, rotation seals them anew, then the old key is not needed any more."""
    inner = MemoryDocuments()
    async with Storage(Encrypted(inner, KeyRing({1: OLD}))) as before:
        await before.namespace("things").put("a", 1, ttl=1000)
        end = (await inner.get(SPACE, "a") or Stored("", b"", 0, 0, 0)).expires
        both = Encrypted(inner, KeyRing({1: OLD, 2: NEW}))
        space = Storage(both).namespace("things")
        await space.put("b", 2)
        assert [item.value for item in (await space.scan()).items] == [1, 2]
        assert (await both.rotate(), await both.rotate()) == (1, 0)
        only_new = Storage(Encrypted(inner, KeyRing({2: NEW}))).namespace("things")
        assert [(1, end), (2, None)] == [(item.value, item.expires) for item in (await only_new.scan()).items]


async def test_a_missing_key_is_not_damage() -> None:
    """Without the generation's key a document is Unavailable, not Corrupt; with a wrong key it is Corrupt."""
    inner = MemoryDocuments()
    async with Storage(Encrypted(inner, KeyRing({1: OLD}))) as storage:
        await storage.namespace("things").put("a", 1)
        with pytest.raises(Unavailable, match="generation 1"):
            await Storage(Encrypted(inner, KeyRing({2: NEW}))).namespace("things").get("a")
        with pytest.raises(Corrupt):
            await Storage(Encrypted(inner, KeyRing({1: NEW}))).namespace("things").get("a")


async def test_encryption_can_be_switched_on_later() -> None:
    """Plain documents are read where that is allowed, and sealed by a rotation."""
    inner = MemoryDocuments()
    await inner.commit((Put(SPACE, "a", b"1"),))
    store = Encrypted(inner, KeyRing({1: OLD}), accept_plain=True)
    async with Storage(store) as storage:
        assert await store.rotate() == 1
        found = await storage.namespace("things").get("a")
        assert found is not None
        assert found.value == 1
        record = await inner.get(SPACE, "a")
        assert record is not None
        assert record.codec == 1


async def test_a_namespace_may_stay_as_it_comes() -> None:
    """Its documents, events and sums are plain; what was sealed there before is opened, by a rotation for good."""
    inner = MemoryDocuments()
    async with Storage(Encrypted(inner, KeyRing({1: OLD}))) as before:
        await before.namespace("things").put("a", 1)
        await before.namespace("others").put("a", 1)
    inner._closed = False
    store = Encrypted(inner, KeyRing({1: OLD}), seals=lambda namespace: namespace != "things")
    storage = Storage(store)
    space = storage.namespace("things")
    await space.put("b", 2)
    async with storage.transaction() as steps:
        steps.increment(space, "n", 3)
        steps.emit(space, "event", "plain")
    assert [item.value for item in (await space.scan()).items] == [1, 2, 3]
    assert await store.rotate() == 1
    kept = [await inner.get(SPACE, key) for key in "abn"]
    assert [(item.codec, item.value) for item in kept if item] == [(0, b"1"), (0, b"2"), (0, b"3")]
    other = await inner.get(Space("default", "others"), "a")
    assert other is not None
    assert other.codec == 1
    inner._place(Space("default", "others"), "a", Stored("a", b"2", 9, 0, 0))
    with pytest.raises(Corrupt, match="not sealed"):
        await storage.namespace("others").get("a")
    assert [change.data for change in (await store.changes(0, 10))[0] if change.event == "emit"] == [b'"plain"']


@pytest.mark.parametrize("keys", [{}, {0: OLD}, {1: b"short"}, {1: OLD, 2: b""}])
def test_bad_keys_are_refused_and_never_shown(keys: dict[int, bytes]) -> None:
    """The error names the rule; neither it nor the ring show a key."""
    with pytest.raises(InvalidInput, match="32 bytes") as raised:
        KeyRing(keys)
    assert "ooo" not in f"{raised.value}{KeyRing({1: OLD})!r}"
    assert base64.b64encode(OLD).decode() not in repr(KeyRing({1: OLD}))
