"""What is remembered of versions is never from before a change of this process."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast  # Any: a stand-in at the border of the store

from au_sys_identity.core.freshness import ACCESS, Freshness
from au_sys_identity.core.ports import Transactions


class Slow:
    """Versions as a store gives them; a change may come while they are on their way."""

    def __init__(self) -> None:
        self.stored = {ACCESS: 1}
        self.reads = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.listener: Callable[[], None] = lambda: None

    def subscribe(self, listener: Any) -> None:
        self.listener = listener

    def raise_to(self, version: int) -> None:
        self.stored = {ACCESS: version}
        self.listener()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        async def read() -> Mapping[str, int]:
            self.reads += 1
            found = dict(self.stored)
            self.meanwhile()
            return found

        yield SimpleNamespace(versions=SimpleNamespace(read=read))


async def test_a_change_while_versions_are_read_is_asked_for_again() -> None:
    """What was read may be from before it, and would be believed for a moment."""
    store = Slow()
    freshness = Freshness(cast(Transactions, store))
    store.meanwhile = lambda: store.raise_to(2) if store.stored[ACCESS] == 1 else None
    assert await freshness.version(ACCESS) == 1
    assert freshness.known(ACCESS) is None
    assert await freshness.version(ACCESS) == 2


async def test_one_look_serves_a_moment() -> None:
    """Requests do not each ask the database."""
    store = Slow()
    freshness = Freshness(cast(Transactions, store))
    assert [await freshness.version(ACCESS) for _ in range(5)] == [1] * 5
    assert (store.reads, freshness.known(ACCESS)) == (1, 1)
