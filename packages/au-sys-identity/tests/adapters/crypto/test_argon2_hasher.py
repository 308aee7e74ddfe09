"""argon2id in a bounded pool."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from au_sys_identity.adapters.crypto.argon2_hasher import Argon2Hasher, HashCost
from au_sys_identity.core.errors import Busy

CHEAP = HashCost(memory_kib=8, time_cost=1)


@pytest.fixture
def hasher() -> Iterator[Argon2Hasher]:
    made = Argon2Hasher(CHEAP, threads=1, queue=4)
    yield made
    made.close()


async def test_a_hash_fits_its_password_only(hasher: Argon2Hasher) -> None:
    """argon2id with a salt of its own; garbage in the database fits nothing."""
    hashed = await hasher.hash("a fine sentence")
    assert hashed.startswith("$argon2id$")
    assert hashed != await hasher.hash("a fine sentence")
    assert await hasher.verify("a fine sentence", hashed) is True
    assert await hasher.verify("another sentence", hashed) is False
    assert await hasher.verify("a fine sentence", "garbage") is False


async def test_nobody_has_the_decoys_password(hasher: Argon2Hasher) -> None:
    """Without a hash the decoy is checked, and never fits, not even its own password."""
    assert await hasher.verify("nobody has this password", None) is False


async def test_older_parameters_are_noticed(hasher: Argon2Hasher) -> None:
    """A hash made more cheaply than now asks for a new one."""
    stronger = Argon2Hasher(HashCost(memory_kib=16, time_cost=1), threads=1, queue=4)
    hashed = await hasher.hash("a fine sentence")
    assert hasher.outdated(hashed) is False
    assert stronger.outdated(hashed) is True
    assert await stronger.verify("a fine sentence", hashed) is True
    stronger.close()


async def test_a_full_queue_refuses_at_once() -> None:
    """Beyond threads and queue nothing is computed; afterwards there is room again."""
    hasher = Argon2Hasher(CHEAP, threads=1, queue=4)
    results = await asyncio.gather(*(hasher.hash("x") for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(result, Busy) for result in results) == 15
    assert (await hasher.hash("x")).startswith("$argon2id$")
    hasher.close()


async def test_one_network_cannot_fill_the_queue() -> None:
    """A quarter of the queue is what one network gets; the others still get in."""
    hasher = Argon2Hasher(CHEAP, threads=1, queue=8)
    crowd = [hasher.hash("x", network="10.0.0.0/24") for _ in range(20)]
    results = await asyncio.gather(*crowd, hasher.hash("x", network="10.0.1.0/24"), return_exceptions=True)
    assert sum(isinstance(result, Busy) for result in results[:-1]) == 17
    assert isinstance(results[-1], str)
    hasher.close()


async def test_who_gives_up_leaves_the_queue() -> None:
    """Cancelled requests make room at once and are not computed."""
    hasher = Argon2Hasher(CHEAP, threads=1, queue=4)
    held = threading.Event()
    blocked = hasher._pool.submit(held.wait)  # nothing is computed meanwhile
    waiting = [asyncio.create_task(hasher.hash("x")) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await hasher.hash("x")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    while hasher.pending:
        await asyncio.sleep(0)
    following = asyncio.create_task(hasher.hash("x"))
    held.set()
    assert (await following).startswith("$argon2id$")
    assert blocked.result() is True
    hasher.close()


CROWD = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans()), max_size=40)


@settings(max_examples=25, deadline=None)
@given(crowd=CROWD, threads=st.integers(1, 3), queue=st.integers(1, 12))
def test_the_queue_keeps_its_bounds(crowd: list[tuple[str, bool]], threads: int, queue: int) -> None:
    """Whoever comes and whoever gives up: never more wait than may, nobody is refused while there is room for them, and
    in the end nothing is counted any more.
    """
    asyncio.run(_crowded(crowd, threads, queue))


async def _crowded(crowd: list[tuple[str, bool]], threads: int, queue: int) -> None:
    hasher = Argon2Hasher(CHEAP, threads=threads, queue=queue)
    held = threading.Event()
    for _ in range(threads):
        hasher._pool.submit(held.wait)
    limit, share = threads + queue, threads + max(1, queue // 4)
    inside: list[tuple[str, asyncio.Task[str]]] = []
    for network, gives_up in crowd:
        room = len(inside) < limit and (not network or sum(name == network for name, _ in inside) < share)
        task = asyncio.create_task(hasher.hash("x", network=network))
        await asyncio.sleep(0)
        assert task.done() is not room
        if task.done():
            assert isinstance(task.exception(), Busy)
        elif gives_up:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            while hasher.pending > len(inside):
                await asyncio.sleep(0)
        else:
            inside.append((network, task))
    held.set()
    assert len(await asyncio.gather(*(task for _, task in inside))) == len(inside)
    while hasher.pending:
        await asyncio.sleep(0)
    hasher.close()


async def test_hashes_are_those_of_the_library(hasher: Argon2Hasher) -> None:
    """What is hashed here verifies there and the other way round, also after the memory was given back."""
    library = PasswordHasher(time_cost=CHEAP.time_cost, memory_cost=CHEAP.memory_kib, parallelism=1)
    for _ in range(2):
        assert library.verify(await hasher.hash("a fine sentence"), "a fine sentence")
        theirs = await asyncio.to_thread(library.hash, "a fine sentence")
        assert await hasher.verify("a fine sentence", theirs) is True
        assert await hasher.verify("a fine sentence.", theirs) is False
        assert hasher.outdated(theirs) is False
        await asyncio.to_thread(hasher.rest)


async def test_a_bent_hash_fits_nothing(hasher: Argon2Hasher) -> None:
    """Cut, lengthened or with foreign signs: refused, not an error."""
    hashed = await hasher.hash("a fine sentence")
    for bent in (hashed[:-1], hashed[:-8], hashed + "A", hashed + "$", hashed.replace("$m=8", "$m=9"), hashed + "é"):
        assert await hasher.verify("a fine sentence", bent) is False
