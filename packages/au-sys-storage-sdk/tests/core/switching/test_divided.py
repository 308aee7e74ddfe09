"""Parts of storage: each namespace in its own, moved apart, and nothing that goes through two of them at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking, first
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.operations import Put
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import InvalidInput, NotFound, Unsupported
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.switching.divided import MAIN, Divided, Division, position, require_in_place
from au_sys_storage_sdk.core.switching.dividing import divide
from au_sys_storage_sdk.core.switching.models import Phase
from au_sys_storage_sdk.core.switching.switchable import Switchable
from au_sys_storage_sdk.core.switching.switches import Switches

NOTES = Division((("notes", ("notes", "notes.*")),))


class TestTheMainPart(DocumentStoreConformance):
    """The suite on namespaces that no part names."""

    @pytest.fixture
    async def storage(self, clock: Ticking) -> AsyncIterator[Storage]:
        """An empty store."""
        stores: dict[str, DocumentStore] = {name: MemoryDocuments(clock=clock) for name in (MAIN, "notes")}
        async with Storage(Divided(stores, NOTES)) as opened:
            yield opened


@pytest.fixture
def stores() -> dict[str, DocumentStore]:
    """A main part and another."""
    return {MAIN: MemoryDocuments(), "notes": MemoryDocuments()}


@pytest.fixture
async def storage(stores: dict[str, DocumentStore]) -> AsyncIterator[Storage]:
    """Both as one."""
    async with Storage(Divided(stores, NOTES)) as opened:
        yield opened


async def test_each_namespace_lies_in_its_part(storage: Storage, stores: dict[str, DocumentStore]) -> None:
    """With a sequence and a feed of its own; together they are counted."""
    for name in ("notes", "notes.private", "others", "notesx"):
        await storage.namespace(name).put("k", name)
    assert [used.namespace for used in await stores["notes"].usage()] == ["notes", "notes.private"]
    assert [used.namespace for used in await storage.usage()] == ["notes", "notes.private", "notesx", "others"]
    assert [await store.sequence() for store in stores.values()] == [2, 2]
    assert [change[0] for change in await first(storage.namespace("notes.private").watch(0), 1)] == [2]
    assert await position(storage.store, Space("default", "notes")) == 2
    assert await storage.sequence() == 2


async def test_a_transaction_keeps_to_one_part(storage: Storage) -> None:
    """Over two of them nothing is done, and both are named."""
    with pytest.raises(InvalidInput, match="'notes' and 'others' lie in different parts"):
        await storage.store.commit([Put(Space("default", name), "k", b"1") for name in ("notes", "others")])
    assert await storage.usage() == []
    async with storage.transaction() as steps:
        steps.put(storage.namespace("notes"), "k", 1)
        steps.put(storage.namespace("notes.private"), "k", 1)


async def test_what_storage_remembers_lies_beside_what_it_is_about(
    storage: Storage, stores: dict[str, DocumentStore]
) -> None:
    """It is committed with it, found wherever it lies, and changed where it was found."""
    kept = Space("default", "storage.history")
    for name, key in (("notes", "b"), ("others", "a")):
        await storage.store.commit((Put(Space("default", name), "k", b"1"), Put(kept, key, b"1", ABSENT)))
    assert [await store.count(kept, "") for store in stores.values()] == [1, 1]
    page = await storage.store.scan(kept, "", "", 1, 1000, keys_only=False)
    rest = await storage.store.scan(kept, "", page.after or "", 5, 1000, keys_only=False)
    assert [item.key for item in (*page.items, *rest.items)] == ["a", "b"]
    assert (rest.after, await storage.store.count(kept, "")) == (None, 2)
    found = await storage.store.get(kept, "b")
    assert found is not None
    await storage.store.commit((Put(kept, "b", b"2", found.version),))
    assert [await store.count(kept, "") for store in stores.values()] == [1, 1]


async def test_there_is_no_feed_of_everything(storage: Storage) -> None:
    """It says so, before anybody waits for it."""
    with pytest.raises(Unsupported, match="feed of every namespace"):
        await anext(storage.watch())
    for call in (storage.store.changes(0, 1), storage.store.wait(0), storage.store.standing(), storage.store.erase()):
        with pytest.raises(Unsupported):
            await call


async def test_documents_in_the_wrong_part_are_told_and_moved(stores: dict[str, DocumentStore]) -> None:
    """With versions and times to live, there and back; positions in the feed from before are too old."""
    main = Storage(stores[MAIN])
    for number in range(2500):
        await main.namespace("notes").put(f"{number:05}", number, ttl=3600 if number % 2 else None)
    await main.namespace("others").put("k", 1)
    before = [item.version for item in (await main.namespace("notes").scan(limit=1000)).items]
    with pytest.raises(InvalidInput, match="2500 documents of namespace 'notes' lie in part 'main'"):
        await require_in_place(stores, NOTES)
    assert await divide(stores, NOTES, lambda *_: None) == 2500
    await require_in_place(stores, NOTES)
    storage = Storage(Divided(stores, NOTES))
    page = await storage.namespace("notes").scan(limit=1000)
    assert before == [item.version for item in page.items]
    assert page.items[1].expires is not None
    assert await storage.namespace("notes").put("new", 1) > 2501
    assert await divide(stores, NOTES, lambda *_: None) == 0
    assert await divide(stores, Division((("notes", ()),)), lambda *_: None) == 2501
    assert await main.namespace("notes").count() == 2501


async def test_two_parts_in_one_backend_are_told_before_anything_is_moved(stores: dict[str, DocumentStore]) -> None:
    """Else a document would be copied onto itself and then removed."""
    await Storage(stores[MAIN]).namespace("notes").put("k", 1)
    with pytest.raises(InvalidInput, match="same backend"):
        await divide({MAIN: stores[MAIN], "notes": stores[MAIN]}, NOTES, lambda *_: None)
    assert await Storage(stores[MAIN]).namespace("notes").count() == 1


async def test_a_part_is_switched_while_the_others_stay(tmp_path: Path) -> None:
    """Writers of both go on; there and back, with its own epoch; two parts never share a backend."""
    known: dict[str, MemoryDocuments] = {}

    async def opener(name: str) -> DocumentStore:
        found = known.setdefault(name, MemoryDocuments())
        found._closed = False
        return found

    stores = {
        part: await Switchable.open(f"{part}-own", FileJournal(tmp_path / f"{part}.json"), opener)
        for part in (MAIN, "notes")
    }
    switches, storage = Switches(stores, "own"), Storage(Divided(dict(stores), NOTES))
    stop, written = asyncio.Event(), dict.fromkeys(("notes", "others"), 0)

    async def write(namespace: str) -> None:
        while not stop.is_set():
            await storage.namespace(namespace).put(f"{written[namespace]}", 1)
            written[namespace] += 1
            await asyncio.sleep(0)  # memory answers without a pause

    writing = [asyncio.create_task(write(namespace)) for namespace in written]
    seen = asyncio.create_task(first(storage.namespace("notes").watch(0), 200))
    begun = await switches.switch("notes", "second")
    with pytest.raises(InvalidInput, match="holds part 'notes'"):
        await switches.check(MAIN, "second")
    assert (await switches.of("notes").finished()).phase is Phase.FLIPPED
    assert switches.doing(begun.operation)[0] == "notes"
    await stores["notes"].switch("notes-own")
    assert (await stores["notes"].finished()).phase is Phase.FLIPPED
    assert list(range(1, 201)) == [seq for seq, _, _ in await seen]
    stop.set()
    await asyncio.gather(*writing)
    assert [stores[part].entry.epoch for part in (MAIN, "notes")] == [1, 3]
    for namespace, number in written.items():
        assert await storage.namespace(namespace).count() == number
    with pytest.raises(NotFound):
        switches.doing("none")
    with pytest.raises(InvalidInput, match="STORAGE_PARTS"):
        switches.of("nothing")
    await storage.close()
