"""What each wrapper adds."""

import asyncio
from collections.abc import Sequence

import pytest

from au_sys_storage_sdk import Conflict, Storage, Unavailable
from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.models import Stored
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome
from au_sys_storage_sdk.core.errors import OutOfReach
from au_sys_storage_sdk.core.preconditions import ABSENT
from au_sys_storage_sdk.core.wrappers.bounded import Bounded
from au_sys_storage_sdk.core.wrappers.cached import Cached
from au_sys_storage_sdk.core.wrappers.instrumented import Instrumented
from au_sys_storage_sdk.core.wrappers.retrying import Retrying
from au_sys_storage_sdk.core.wrappers.scoped import Scoped


class Troubled(MemoryDocuments):
    """Fails so many times before it works, after having committed if asked; waits at its gate."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls = 0

    async def get(self, space: Space, key: str) -> Stored | None:
        """With trouble."""
        await self._trouble()
        return await super().get(space, key)

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """The trouble comes after the commit: the caller cannot know."""
        outcomes = await super().commit(operations)
        await self._trouble()
        return outcomes

    async def _trouble(self) -> None:
        self.calls += 1
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable("trouble", retry_after=0)


async def test_only_what_is_safe_is_tried_again() -> None:
    """Reads and unconditional puts are; a conditional put and an increment are not, for they may have committed."""
    inner = Troubled()
    async with Storage(Retrying(inner)) as storage:
        space = storage.namespace("things")
        for failures, work in ((3, lambda: space.put("k", 1)), (3, lambda: space.get("k"))):
            inner.failures, inner.calls = failures, 0
            await work()
            assert inner.calls == 4
        inner.failures = 1
        with pytest.raises(Unavailable):
            await space.put("new", 1, if_match=ABSENT)
        with pytest.raises(Conflict):
            await space.put("new", 1, if_match=ABSENT)
        inner.failures = 1
        steps = storage.transaction()
        steps.increment(space, "count")
        with pytest.raises(Unavailable):
            await steps.__aexit__(None, None, None)
        inner.failures, inner.calls = 99, 0
        with pytest.raises(Unavailable):
            await space.get("k")
        assert inner.calls == 4


async def test_a_slow_backend_does_not_hold_its_callers() -> None:
    """Beyond the time or the number of calls the answer is Unavailable; then it works again."""
    inner = Troubled()
    async with Storage(Bounded(inner, concurrent=2, seconds=0.05)) as storage:
        space = storage.namespace("things")
        inner.gate.clear()
        answers = await asyncio.gather(*(space.get("k") for _ in range(3)), return_exceptions=True)
        assert [Unavailable] * 3 == [type(answer) for answer in answers]
        assert inner.calls == 2
        inner.gate.set()
        assert await space.get("k") is None


async def test_the_observer_hears_of_every_call() -> None:
    """Name, time and end."""
    heard: list[tuple[str, str]] = []
    async with Storage(
        Instrumented(MemoryDocuments(), lambda call, seconds, end: heard.append((call, end)))
    ) as storage:
        space = storage.namespace("things")
        await space.put("k", 1)
        with pytest.raises(Conflict):
            await space.put("k", 1, if_match=ABSENT)
        await space.get("k")
        await space.scan()
    assert heard == [("commit", "ok"), ("commit", "Conflict"), ("get", "ok"), ("scan", "ok")]


async def test_a_cache_spares_reads_and_follows_the_feed() -> None:
    """A second read does not reach the backend; a write by another way is seen through the feed."""
    inner = Troubled()
    store = Cached(inner, entries=2)
    async with Storage(store) as storage:
        space, other = storage.namespace("things"), Storage(inner).namespace("things")
        await space.put("k", 1)
        for _ in range(3):
            await space.get("k")
        assert store.hits == 2
        await other.put("k", 2)
        for _ in range(5):
            await asyncio.sleep(0)
        found = await space.get("k")
        assert found is not None
        assert found.value == 2
        for key in "abc":
            await space.get(key)
        assert len(store._kept) == 2


async def test_a_scope_hides_the_rest() -> None:
    """Reading, writing, counting, following and listing other namespaces or tenants is out of reach."""
    inner = MemoryDocuments()
    async with Storage(Scoped(inner, ["notes.*"], tenant="default")) as storage:
        await Storage(inner).namespace("other").put("k", 1)
        await storage.namespace("notes.mine").put("k", 1)
        for space in (storage.namespace("other"), storage.for_tenant("x").namespace("notes.mine")):
            for call in (
                space.get("k"),
                space.head("k"),
                space.put("k", 1),
                space.scan(),
                space.count(),
                space.sequence(),
            ):
                with pytest.raises(OutOfReach):
                    await call
        assert [used.namespace for used in await storage.usage()] == ["notes.mine"]
        changes, seen = await storage.store.changes(0, 10)
        assert ([change.space.namespace for change in changes], seen) == (["notes.mine"], 2)
