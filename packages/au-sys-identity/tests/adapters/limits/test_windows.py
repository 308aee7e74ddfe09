"""Windows in memory and in a real Redis, counted by two processes' worth of objects."""

from collections.abc import AsyncIterator, Iterator

import pytest

from au_sys_identity.adapters.limits.windows import LibraryWindows, seconds_until_room
from fastapi_services_platform.testing.redis import redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
async def two(redis: str) -> AsyncIterator[tuple[LibraryWindows, LibraryWindows]]:
    """Two nodes on one Redis."""
    nodes = LibraryWindows(redis), LibraryWindows(redis)
    yield nodes
    for node in nodes:
        await node.close()


async def test_beyond_the_limit_there_are_seconds_to_wait() -> None:
    """Within it none; each key has a window of its own."""
    windows = LibraryWindows()
    assert [await windows.hit("3/hour", "a") for _ in range(3)] == [0, 0, 0]
    wait = await windows.hit("3/hour", "a")
    assert 1200 < wait <= 2 * 3600
    assert await windows.hit("3/hour", "b") == 0


@pytest.mark.parametrize(
    ("before", "now", "left", "expected"),
    [
        (0, 5, 10.0, 10 + 12),  # the window ends, then a fifth of it has to pass
        (5, 0, 60.0, 12),  # five before: one falls out with each fifth
        (5, 4, 30.0, 30),  # nothing of the window before may count any more
        (0, 5, 0.0, 12),
    ],
)
def test_the_wait_is_until_there_is_room(before: int, now: int, left: float, expected: int) -> None:
    """Five a minute: neither too early, which would be refused again, nor later than needed."""
    assert seconds_until_room(5, 60, before, now, left=left) == expected


@pytest.mark.needs_redis
async def test_two_nodes_count_together(two: tuple[LibraryWindows, LibraryWindows]) -> None:
    """What one node let through counts on the other."""
    one, other = two
    assert [await node.hit("4/hour", "together") for node in (one, other, one, other)] == [0, 0, 0, 0]
    assert await one.hit("4/hour", "together") > 0
    assert await other.hit("4/hour", "together") > 0


async def test_without_its_redis_a_node_counts_alone() -> None:
    """A server that is not there lets nothing through that this process itself counted too often."""
    windows = LibraryWindows("redis://127.0.0.1:9/0")
    assert [await windows.hit("2/hour", "alone") for _ in range(2)] == [0, 0]
    assert await windows.hit("2/hour", "alone") > 0
    await windows.close()
