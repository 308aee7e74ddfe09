"""Group commit: order, sharing, bounds, failures, cancellation, closing."""

import asyncio

import pytest

from au_sys_storage_sdk.core.batching import Batcher
from au_sys_storage_sdk.core.errors import Conflict, Unavailable


class Recorder:
    """Applies batches of numbers by doubling them; 13 fails for itself, 99 fails the batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, batch: list[int]) -> list[int | Exception]:
        self.batches.append(batch)
        await self.gate.wait()
        if 99 in batch:
            raise OSError("the disk is gone")
        return [Conflict("n", "k", 1, 2) if number == 13 else number * 2 for number in batch]


async def test_what_waits_shares_the_next_batch() -> None:
    """The first goes alone, the rest together, in order."""
    recorder = Recorder()
    batcher = Batcher(recorder)
    recorder.gate.clear()
    waiting = [asyncio.create_task(batcher.submit(1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(batcher.submit(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    recorder.gate.set()
    assert await asyncio.gather(*waiting) == [2, 4, 6, 8]
    assert recorder.batches == [[1], [2, 3, 4]]


async def test_two_batches_at_once_part_what_waits() -> None:
    """Half of it is prepared while the other half is written; the rest waits."""
    recorder = Recorder()
    recorder.gate.clear()
    batcher = Batcher(recorder, at_once=2)
    waiting = [asyncio.create_task(batcher.submit(number)) for number in range(100)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert [len(batch) for batch in recorder.batches] == [50, 32]
    recorder.gate.set()
    assert len(await asyncio.gather(*waiting, return_exceptions=True)) == 100
    assert sum(len(batch) for batch in recorder.batches) == 100


async def test_one_batch_at_a_time_takes_along_who_was_just_answered() -> None:
    """What they have next shares the batch with what waited already."""
    recorder = Recorder()
    recorder.gate.clear()
    batcher = Batcher(recorder)

    async def twice(number: int) -> None:
        await batcher.submit(number)
        await batcher.submit(number)

    waiting = [asyncio.create_task(twice(1))]
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.append(asyncio.create_task(twice(2)))
    await asyncio.sleep(0)
    recorder.gate.set()
    await asyncio.gather(*waiting)
    assert recorder.batches == [[1], [2, 1], [2]]


async def test_fewer_batches_at_once_let_the_others_end() -> None:
    """Whoever writes the last of them takes what waits."""
    recorder = Recorder()
    recorder.gate.clear()
    batcher = Batcher(recorder, at_once=2)
    waiting = [asyncio.create_task(batcher.submit(number)) for number in range(200)]
    for _ in range(5):
        await asyncio.sleep(0)
    batcher.at_once = 1
    recorder.gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert [len(batch) for batch in recorder.batches] == [100, 50, 50]


async def test_one_failing_request_does_not_hurt_its_neighbours() -> None:
    """Its answer is its error."""
    batcher = Batcher(Recorder())
    answers = await asyncio.gather(*map(batcher.submit, (1, 13, 2)), return_exceptions=True)
    assert (2, Conflict, 4) == (answers[0], type(answers[1]), answers[2])


async def test_a_failing_batch_fails_all_and_the_next_goes_on() -> None:
    """The writer survives."""
    batcher = Batcher(Recorder())
    answers = await asyncio.gather(*map(batcher.submit, (1, 99)), return_exceptions=True)
    assert [OSError, OSError] == [type(answer) for answer in answers]
    assert await batcher.submit(5) == 10


async def test_the_queue_is_bounded_by_bytes() -> None:
    """Beyond the bound a request is refused at once."""
    recorder = Recorder()
    batcher = Batcher(recorder, max_bytes=10)
    recorder.gate.clear()
    first = asyncio.create_task(batcher.submit(1, size=8))
    await asyncio.sleep(0)
    second = asyncio.create_task(batcher.submit(2, size=8))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="waiting"):
        await batcher.submit(3, size=8)
    recorder.gate.set()
    assert (await first, await second) == (2, 4)


async def test_a_cancelled_request_that_waits_is_not_applied() -> None:
    """Nobody waits for it any more."""
    recorder = Recorder()
    batcher = Batcher(recorder)
    recorder.gate.clear()
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    recorder.gate.set()
    assert await first == 2
    await batcher.close()
    assert recorder.batches == [[1]]


async def test_closing_finishes_what_waits_and_refuses_what_comes() -> None:
    """No accepted request is lost."""
    batcher = Batcher(Recorder())
    waiting = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    await batcher.close()
    assert await waiting == 2
    with pytest.raises(Unavailable, match="closed"):
        await batcher.submit(2)


async def test_a_cancelled_request_tells_whether_it_may_take_effect() -> None:
    """One that still waits was not written; the outcome of one that is under way is unknown."""
    going, release = asyncio.Event(), asyncio.Event()

    async def apply(batch: list[int]) -> list[int]:
        going.set()
        await release.wait()
        return batch

    batcher: Batcher[int, int] = Batcher(apply)
    under_way = asyncio.create_task(batcher.submit(1))
    await going.wait()
    waiting = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    for task, note in ((under_way, "unknown"), (waiting, "nothing was written")):
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        assert note in raised.value.__notes__[0]
    release.set()
    await batcher.close()
