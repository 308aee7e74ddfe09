"""Storage without an event loop: the same answers and errors, streams both ways, several threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from au_sys_storage_sdk import ABSENT, Conflict, Range, open_storage_sync
from au_sys_storage_sdk.core.documents.namespace import Get, Put
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput


class Person(msgspec.Struct, frozen=True):
    """A typed value."""

    name: str
    age: int


def test_documents_are_read_and_written(tmp_path: Path) -> None:
    """Every call of a namespace, on a real file that is open again afterwards."""
    url = f"sqlite://{tmp_path}/documents.db"
    with open_storage_sync(url) as storage:
        space = storage.namespace("things", fields=("a",))
        version = space.put("k", {"a": 1}, if_match=ABSENT, ttl=60)
        with pytest.raises(Conflict):
            space.put("k", {"a": 2}, if_match=ABSENT)
        space.patch("k", {"b": 2}, if_match=version)
        found = space.get("k")
        assert found is not None
        assert found.value == {"a": 1, "b": 2}
        assert [item.key for item in space.scan().items] == list(space.keys().items) == ["k"]
        assert [item.key for item in space.query({"a": Range(1)}).items] == ["k"]
        assert (space.count(), space.count(where={"a": 2})) == (1, 0)
        answers = space.many([Put("l", 1), Get("k")])
        assert getattr(answers[1], "version", None) == found.version
        with storage.transaction() as steps:
            total = steps.increment(space.inner, "counter", 2)
        assert (total.value, storage.sequence()) == (2, space.sequence())
        seen = [change.key for _, change in zip(range(4), space.watch(), strict=False)]
        assert seen == ["k", "k", "l", "counter"]
        taken = space.take("counter")
        assert taken is not None
        assert (taken.value, space.delete("counter"), storage.backend) == (2, False, "sqlite")
        assert [used.namespace for used in storage.usage()] == ["things"]
    with open_storage_sync(url) as storage:
        assert storage.namespace("things").get("l") is not None


def test_an_error_in_a_transaction_commits_nothing() -> None:
    """The exception passes."""
    with open_storage_sync("memory:") as storage:
        space = storage.namespace("things")

        def fail() -> None:
            with storage.transaction() as steps:
                steps.put(space.inner, "k", 1)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert space.get("k") is None


def test_typed_values_are_checked() -> None:
    """As they are with an event loop."""
    with open_storage_sync("memory:") as storage:
        storage.namespace("people", Person).put("ada", Person("Ada", 36))
        storage.namespace("people").put("bob", {"name": "Bob"})
        with pytest.raises(Corrupt):
            storage.namespace("people", Person).get("bob")


def test_blobs_stream_both_ways(tmp_path: Path) -> None:
    """From an iterable, in ranges, and copied."""
    with open_storage_sync("memory:", f"file://{tmp_path}/blobs") as storage:
        blobs = storage.blobs("files")
        info = blobs.write("k", (bytes([number]) * 100_000 for number in range(5)), if_match=ABSENT)
        assert (500_000, info) == (info.size, blobs.head("k"))
        assert b"".join(blobs.read("k", 99_999, 100_001)) == b"\x00\x01"
        blobs.copy("k", "l")
        assert [item.key for item in blobs.list().items] == ["k", "l"]
        assert (blobs.delete("k"), blobs.head("k")) == (True, None)
        assert len(blobs.read_bytes("l")) == 500_000


def test_several_threads_share_one_storage() -> None:
    """A hundred increments from eight threads sum to a hundred."""
    with open_storage_sync("memory:") as storage, ThreadPoolExecutor(8) as threads:
        space = storage.namespace("things")

        def add(_: int) -> None:
            with storage.transaction() as steps:
                steps.increment(space.inner, "counter")

        list(threads.map(add, range(100)))
        found = space.get("counter")
        assert found is not None
        assert found.value == 100


def test_what_cannot_be_opened_is_said() -> None:
    """And no thread stays behind."""
    with pytest.raises(InvalidInput, match=r"^url: "), open_storage_sync("nonsense://"):
        raise AssertionError
