"""A live switch: nothing lost, nothing stale, versions, cursors and feeds valid, a crash in any state, the way back."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from au_sys_storage_sdk import ABSENT, Storage
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.conformance.documents import DocumentStoreConformance
from au_sys_storage_sdk.conformance.given import Ticking, first
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.errors import Corrupt, InvalidInput, Unavailable
from au_sys_storage_sdk.core.switching.models import Phase
from au_sys_storage_sdk.core.switching.switchable import Opener, Switchable


def opener(tmp_path: Path) -> Opener:
    """Backends ``one``, ``two`` … as files."""
    return lambda name: document_store(f"sqlite://{tmp_path}/{name}.db")


async def opened(tmp_path: Path) -> Switchable:
    """A store that starts on ``one``."""
    return await Switchable.open("one", FileJournal(tmp_path / "switch.json"), opener(tmp_path))


class TestSwitchable(DocumentStoreConformance):
    """The suite around memory."""

    @pytest.fixture
    async def storage(self, clock: Ticking, tmp_path: Path) -> AsyncIterator[Storage]:
        """An empty store."""

        async def memory(name: str) -> DocumentStore:
            return MemoryDocuments(clock=clock)

        store = await Switchable.open("one", FileJournal(tmp_path / "switch.json"), memory)
        async with Storage(store) as made:
            yield made


class Load:
    """Writers that never stop, what they were acknowledged, and a watcher."""

    def __init__(self, storage: Storage, writers: int = 16) -> None:
        self.space = storage.namespace("load")
        self.expected: dict[str, int | None] = {}
        self.versions: list[int] = []
        self.seen: list[int] = []
        self.stop = False
        self._tasks = [asyncio.create_task(self._write(number)) for number in range(writers)]
        self._watcher = asyncio.create_task(self._watch())

    async def _write(self, mark: int) -> None:
        number = 0
        while not self.stop:
            number += 1
            key = f"{mark}/{random.randrange(50)}"
            if number % 7 == 0:
                await self.space.delete(key)
                self.expected[key] = None
            else:
                self.versions.append(await self.space.put(key, number))
                self.expected[key] = number

    async def _watch(self) -> None:
        async for change in self.space.watch(0):
            self.seen.append(change.seq)

    async def verify(self) -> None:
        """Stop, and compare everything."""
        self.stop = True
        await asyncio.gather(*self._tasks)
        for key, value in self.expected.items():
            found = await self.space.get(key)
            assert value == (found.value if found else None), key
        last = await self.space.sequence()
        while not self.seen or self.seen[-1] < last:
            await asyncio.sleep(0.01)
        self._watcher.cancel()
        assert self.seen == list(range(self.seen[0], last + 1))
        assert len(self.versions) == len(set(self.versions))


async def test_a_switch_under_load_loses_nothing(tmp_path: Path) -> None:
    """There, further and back under sixteen writers: every acknowledged write is there, the feed has no gap."""
    async with Storage(await opened(tmp_path)) as storage:
        store = storage.store
        assert isinstance(store, Switchable)
        for number in range(2000):
            await storage.namespace("bulk").put(f"{number:05}", number, ttl=5000 if number % 2 else None)
        page = await storage.namespace("bulk").scan(limit=10)
        load = Load(storage)
        for target in ("two", "three", "two"):
            await store.switch(target)
            done = await store.finished()
            assert (Phase.FLIPPED, target) == (done.phase, store.entry.active), done.reason
            assert done.pause is not None
        await load.verify()
        further = await storage.namespace("bulk").scan(after=page.after or "", limit=1)
        assert further.items[0].key == "00010"
        assert await storage.namespace("bulk").count() == 2000
    async with Storage(await opened(tmp_path)) as storage:
        assert await storage.namespace("bulk").count() == 2000


async def test_versions_and_lives_stay_what_they_were(tmp_path: Path) -> None:
    """Records are equal to the last field, and the next write goes on in the sequence."""
    async with Storage(await opened(tmp_path)) as storage:
        store, space = storage.store, storage.namespace("things")
        assert isinstance(store, Switchable)
        version = await space.put("a", 1, ttl=1000)
        await space.put("gone", 1)
        await space.delete("gone")
        before = await space.get("a"), await storage.sequence()
        await store.switch("two")
        await store.finished()
        assert before == (await space.get("a"), await storage.sequence())
        assert [version, version + 1, version + 2] == [seq for seq, _, _ in await first(space.watch(0), 3)]
        assert before[1] + 1 == await space.put("gone", 1, if_match=ABSENT)


@pytest.mark.parametrize("point", ["copying", "tailing", "flipping"])
async def test_a_crash_at_any_point_goes_on_at_the_next_start(
    tmp_path: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies in the copy, in the tail, or between comparison and journal: nothing is lost."""
    store = await opened(tmp_path)
    space = Storage(store).namespace("things")
    for number in range(500):
        await space.put(str(number), number)
    names = {
        "copying": "move.copy_documents",
        "tailing": "move.copy_tail",
        "flipping": "comparison.Comparison.require_equal",
    }
    reached = asyncio.Event()

    async def die(*arguments: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(f"au_sys_storage_sdk.core.switching.{names[point]}", die)
    await store.switch("two")
    await reached.wait()
    if point != "flipping":
        await space.put("between", 1)
    await store.close()
    monkeypatch.undo()
    again = await opened(tmp_path)
    async with Storage(again) as storage:
        done = await again.finished()
        assert (done.phase, again.entry.active) == (Phase.FLIPPED, "two"), done.reason
        assert (500 if point == "flipping" else 501) == await storage.namespace("things").count()


async def test_an_aborted_switch_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and writes go on with the old backend, also after a restart."""
    store = await opened(tmp_path)
    async with Storage(store) as storage:
        space = storage.namespace("things")
        await space.put("k", 1)

        async def endless(*arguments: object) -> int:
            await asyncio.Event().wait()
            return 0

        monkeypatch.setattr("au_sys_storage_sdk.core.switching.move.copy_tail", endless)
        await store.switch("two")
        with pytest.raises(InvalidInput, match="under way"):
            await store.switch("three")
        assert Phase.ABORTED is (await store.abort()).phase
        await space.put("k", 2)
        with pytest.raises(InvalidInput):
            await store.abort()
    assert (await opened(tmp_path)).entry.active == "one"


async def test_a_copy_that_differs_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the comparison fails the old backend goes on, and says why."""
    store = await opened(tmp_path)
    async with Storage(store) as storage:
        await storage.namespace("things").put("k", 1)

        async def different(*arguments: object) -> None:
            raise Corrupt("the copy", "it differs")

        monkeypatch.setattr("au_sys_storage_sdk.core.switching.comparison.Comparison.require_equal", different)
        await store.switch("two")
        done = await store.finished()
        assert (done.phase, store.entry.active, "differs" in done.reason) == (Phase.FAILED, "one", True)
        await storage.namespace("things").put("k", 2)


async def test_senseless_targets_are_refused(tmp_path: Path) -> None:
    """The active backend, one that holds documents, one that does not answer."""
    store = await opened(tmp_path)
    async with Storage(store):
        other = Storage(await document_store(f"sqlite://{tmp_path}/full.db"))
        await other.namespace("things").put("k", 1)
        await other.close()
        for target, text in (("one", "serves already"), ("full", "holds documents")):
            with pytest.raises(InvalidInput, match=text):
                await store.switch(target)

        async def silent(name: str) -> DocumentStore:
            raise Unavailable("nobody there")

        opening: Callable[[str], object] = silent
        store._opener = opening  # type: ignore[assignment]  # an opener that always fails
        with pytest.raises(Unavailable):
            await store.switch("two")
