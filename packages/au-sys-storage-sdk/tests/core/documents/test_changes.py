"""Waiting for changes."""

import asyncio

from au_sys_storage_sdk import open_storage
from au_sys_storage_sdk.core.documents.changes import Arrival
from au_sys_storage_sdk.core.errors import FeedCompacted


async def _turns() -> None:
    """Let everybody come as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_everybody_who_waits_is_woken() -> None:
    """By the number they wait for, not by an older one; those who come late do not wait."""
    arrival = Arrival(5)
    waiting = [asyncio.create_task(arrival.wait(since)) for since in (5, 5, 6)]
    await asyncio.sleep(0)
    arrival.advance(6)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, True, False]
    arrival.close()
    assert await asyncio.gather(*waiting) == [True, True, False]
    assert await Arrival(5).wait(4) is True


async def test_a_thousand_watchers_see_everything() -> None:
    """Without a gap, each from its own starting point."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")

        async def watch(since: int) -> list[int]:
            seen = []
            async for change in space.watch(since):
                seen.append(change.seq)
                if change.seq == 20:
                    break
            return seen

        watching = [asyncio.create_task(watch(number % 20)) for number in range(1000)]
        for number in range(20):
            await space.put(str(number), number)
        for number, seen in enumerate(await asyncio.gather(*watching)):
            assert list(range(number % 20 + 1, 21)) == seen


async def test_a_prefix_narrows_the_feed() -> None:
    """Other keys are passed over."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")
        for key in ("a/1", "b/1", "a/2"):
            await space.put(key, 1)
        feed = space.watch(prefix="a/")
        assert [(await anext(feed)).key, (await anext(feed)).key] == ["a/1", "a/2"]


async def test_who_leaves_takes_nobody_along() -> None:
    """One of two who wait for the same place goes; the other hears of the change. When both are gone, nobody looks."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")
        watching = [asyncio.ensure_future(anext(space.watch())) for _ in range(2)]
        await _turns()
        watching[0].cancel()
        await space.put("k", 1)
        assert (await watching[1]).key == "k"
        assert watching[0].cancelled()
        before = asyncio.all_tasks()
        last = asyncio.ensure_future(anext(space.watch(1)))
        await _turns()
        last.cancel()
        await asyncio.wait([last])
        await _turns()
        assert asyncio.all_tasks() == before


async def test_everybody_hears_why_nothing_comes() -> None:
    """What was missed is no longer kept: each who waits for it is told."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")
        for number in range(3):
            await space.put("k", number)
        await storage.compact(1)
        answers = await asyncio.gather(*(anext(space.watch()) for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [FeedCompacted] * 3
