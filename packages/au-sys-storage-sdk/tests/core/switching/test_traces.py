"""What a switch leaves behind: nothing when it is given up, a fence where it came from, a way back for a time."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_storage_sdk import Storage
from au_sys_storage_sdk.adapters.filesystem.journal import FileJournal
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.adapters.opening import document_store
from au_sys_storage_sdk.conformance.given import Ticking
from au_sys_storage_sdk.core.documents.models import Replica
from au_sys_storage_sdk.core.documents.ports import DocumentStore
from au_sys_storage_sdk.core.documents.standing import Role, Standing
from au_sys_storage_sdk.core.errors import Fenced, Unavailable
from au_sys_storage_sdk.core.switching.journal import Entry
from au_sys_storage_sdk.core.switching.models import Phase
from au_sys_storage_sdk.core.switching.switchable import Switchable


class Troubled(MemoryDocuments):
    """Waits or fails where it is told to."""

    def __init__(self, clock: Ticking) -> None:
        super().__init__(clock=clock)
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self.spoil: Callable[[], None] | None = None

    async def replicate(self, replica: Replica) -> None:
        """After the gate."""
        self.reached.set()
        await self.gate.wait()
        if self.spoil is not None:
            self.spoil()
        await super().replicate(replica)

    async def close(self) -> None:
        """Stay, so that the test can look inside."""


class House:
    """Backends by name that live as long as the test, and a journal on disk."""

    def __init__(self, folder: Path) -> None:
        self.clock = Ticking()
        self.stores: dict[str, Troubled] = {}
        self.journal = FileJournal(folder / "switch.json")

    async def backend(self, name: str) -> DocumentStore:
        """The one of this name."""
        return self[name]

    def __getitem__(self, name: str) -> Troubled:
        return self.stores.setdefault(name, Troubled(self.clock))

    async def open(self, **options: float) -> Switchable:
        """A store that starts on ``one``."""
        return await Switchable.open("one", self.journal, self.backend, clock=self.clock, **options)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Empty backends."""
    return House(tmp_path)


async def filled(store: Switchable, number: int = 20) -> None:
    """Some documents."""
    space = Storage(store).namespace("things")
    for key in range(number):
        await space.put(str(key), key)


async def test_an_aborted_switch_leaves_an_empty_target(house: House) -> None:
    """Nothing of the copy stays, and the target may be used again at once."""
    store = await house.open()
    await filled(store)
    house["two"].gate.clear()
    await store.switch("two")
    await house["two"].reached.wait()
    await store.abort()
    house["two"].gate.set()
    assert (0, Standing(), []) == (
        await house["two"].sequence(), await house["two"].standing(), await house["two"].usage()
    )  # fmt: skip
    await store.switch("two")
    assert (await store.finished()).phase is Phase.FLIPPED
    await store.close()


async def test_a_half_copy_that_could_not_be_removed_is_marked_and_removed_by_the_next_run(house: House) -> None:
    """The target went away in the middle: it is marked as a copy, and the next switch begins by emptying it."""
    store = await house.open()
    await filled(store)

    def gone() -> None:
        raise Unavailable("nobody there")

    target = house["two"]
    target.spoil, erase = gone, target.erase
    target.erase = gone  # type: ignore[assignment,method-assign]  # it fails, awaited or not
    target._standing = Standing(1, Role.COPY, "earlier")
    await store.switch("two")
    failed = await store.finished()
    assert (failed.phase, "nobody there" in failed.reason) == (Phase.FAILED, True)
    target.spoil = None
    target.erase = erase  # type: ignore[method-assign]  # it is back
    await target.replicate(Replica({}, (), {}, 7))
    await store.switch("two")
    assert (await store.finished()).phase is Phase.FLIPPED
    assert await Storage(store).namespace("things").count() == 20
    await store.close()


async def test_the_old_backend_is_fenced_and_kept_in_step(house: House) -> None:
    """Its own writers are refused; what is written now arrives there too, and the way back takes no copy."""
    store = await house.open()
    await filled(store)
    await store.switch("two")
    assert (await store.finished()).rollback_until == house.clock.now + 3_600_000
    with pytest.raises(Fenced):
        await Storage(house["one"]).namespace("things").put("late", 1)
    space = Storage(store).namespace("things")
    version = await space.put("new", 1)
    async with asyncio.timeout(20):
        while await house["one"].sequence() < version:
            await asyncio.sleep(0)
    back = await store.switch("one")
    assert (Phase.TAILING, version) == (back.phase, back.since)
    assert (await store.finished()).phase is Phase.FLIPPED
    with pytest.raises(Fenced):
        await Storage(house["two"]).namespace("things").put("late", 1)
    assert version + 1 == await space.put("newer", 1)
    await store.close()


async def test_an_aborted_way_back_stays_a_way_back(house: House) -> None:
    """The backend before is not emptied, and goes on being kept in step."""
    store = await house.open()
    await filled(store)
    await store.switch("two")
    await store.finished()
    space = Storage(store).namespace("things")
    house["one"].gate.clear()
    house["one"].reached.clear()
    await space.put("new", 1)
    await house["one"].reached.wait()
    await store.switch("one")
    assert Phase.ABORTED is (await store.abort()).phase
    house["one"].gate.set()
    version = await space.put("newer", 1)
    async with asyncio.timeout(20):
        while await house["one"].sequence() < version:
            await asyncio.sleep(0)
    assert (store.entry.active, store.entry.previous) == ("two", "one")
    await store.close()


async def test_the_way_back_ends_after_its_time(house: House) -> None:
    """Then the old backend is let go, stays fenced, and a switch to it copies everything anew."""
    store = await house.open(keep=10)
    await filled(store)
    await store.switch("two")
    await store.finished()
    house.clock.now += 10_000
    await Storage(store).namespace("things").put("wakes", 1)
    async with asyncio.timeout(20):
        while store.entry.previous:
            await asyncio.sleep(0.01)
    assert Role.RETIRED is (await house["one"].standing()).role
    assert Phase.COPYING is (await store.switch("one")).phase
    assert (await store.finished()).phase is Phase.FLIPPED
    assert await Storage(store).namespace("things").count() == 21
    await store.close()


async def test_the_feed_that_the_way_back_needs_is_kept(house: House) -> None:
    """Compaction stops where the backend before has come to."""
    store = await house.open()
    await filled(store)
    await store.switch("two")
    await store.finished()
    house["one"].gate.clear()
    space = Storage(store).namespace("things")
    for number in range(30):
        await space.put("k", number)
    await store.compact(0)
    assert len((await store.changes(20, 100))[0]) == 30
    house["one"].gate.set()
    await store.close()


@pytest.mark.parametrize("role", [Role.COPY, Role.ACTIVE])
async def test_a_crash_after_the_decision_is_taken_up(house: House, role: Role) -> None:
    """The journal decides: a target that was not marked yet is marked by the first write."""
    before = await house.open()
    await filled(before)
    await before.switch("two")
    await before.finished()
    await before.close()
    epoch = before.entry.epoch
    house["two"]._standing = Standing(epoch if role is Role.ACTIVE else epoch - 1, role, before.entry.operation)
    store = await house.open()
    await Storage(store).namespace("things").put("k", 1)
    assert Standing(epoch, Role.ACTIVE, before.entry.operation) == await house["two"].standing()
    await store.close()


async def test_a_crash_before_the_decision_gives_the_source_its_writers_back(house: House) -> None:
    """It was fenced, and nothing was flipped: the switch goes on and writers wait for it."""
    await filled(await house.open())
    await house.journal.write(Entry("one", 1, "operation", "two", Phase.COPYING, 20))
    await house["one"].stand(Standing(1, Role.RETIRED, "operation"))
    store = await house.open()
    version = await Storage(store).namespace("things").put("k", 1)
    assert (await store.finished()).phase is Phase.FLIPPED
    found = await Storage(store).namespace("things").get("k")
    assert (version, "two") == (found.version if found else None, store.entry.active)
    await store.close()


async def test_a_crash_before_the_decision_needs_no_writer_to_be_mended(house: House) -> None:
    """The source was fenced and nobody writes: the switch goes on all the same."""
    await filled(await house.open())
    await house.journal.write(Entry("one", 1, "operation", "two", Phase.COPYING, 20))
    await house["one"].stand(Standing(1, Role.RETIRED, "operation"))
    store = await house.open()
    done = await store.finished()
    assert (done.phase, done.reason) == (Phase.FLIPPED, "")
    await store.close()


async def test_writers_wait_no_longer_than_the_bound(house: House) -> None:
    """A target that hangs in the last moment is given up: writers go on, and it is tried again."""
    store = await house.open(bound=0.05)
    await filled(store)
    target, drains = house["two"], 0
    sequence = target.sequence

    async def hanging() -> int:
        nonlocal drains
        drains += not store._gate._open.is_set()
        if not store._gate._open.is_set() and drains == 1:
            await asyncio.sleep(3600)
        return await sequence()

    target.sequence = hanging  # type: ignore[method-assign,assignment]  # it hangs once
    await store.switch("two")
    done = await store.finished()
    assert (done.phase, drains > 1) == (Phase.FLIPPED, True)
    await store.close()


async def test_a_writer_of_an_earlier_epoch_is_fenced(tmp_path: Path) -> None:
    """A file that was switched away refuses writers, also of another process that opens it later."""
    urls = {name: f"sqlite://{tmp_path}/{name}.db" for name in ("one", "two")}
    store = await Switchable.open("one", FileJournal(tmp_path / "j"), lambda name: document_store(urls[name]), keep=0)
    await filled(store)
    await store.switch("two")
    await store.finished()
    await store.close()
    async with Storage(await document_store(urls["one"])) as old:
        with pytest.raises(Fenced):
            await old.namespace("things").put("k", 1)
        assert await old.namespace("things").count() == 20


async def test_the_copy_keeps_to_its_rate_and_its_place(house: House) -> None:
    """The journal notes where the copy is, so that a later start goes on there."""
    store = await house.open()
    await filled(store, 1200)
    house["two"].gate.clear()
    await store.switch("two", rate=1_000_000.0)
    house["two"].gate.set()
    assert (await store.finished()).copied == 1200
    assert await house.journal.read() == store.entry
    await store.close()
