"""Writes in common commits: few of them, and each with its own answer when one is refused."""

from collections.abc import Sequence

from au_sys_storage_sdk.adapters.memory.documents import MemoryDocuments
from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.documents.operations import Operation, Outcome, Put
from au_sys_storage_sdk.core.documents.together import commit_together
from au_sys_storage_sdk.core.errors import Conflict, Unavailable
from au_sys_storage_sdk.core.wrappers.forwarding import Forwarding

SPACE = Space("default", "notes")


class Counting(Forwarding):
    """Tells how large the commits were, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__(MemoryDocuments())
        self.sizes: list[int] = []
        self.failure: Exception | None = None

    async def commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """See the port."""
        self.sizes.append(len(operations))
        if self.failure is not None:
            raise self.failure
        return await super().commit(operations)


def puts(*keys: str, size: int = 1) -> list[Operation]:
    """A put for each key."""
    return [Put(SPACE, key, b"1" * size) for key in keys]


async def test_what_fits_goes_into_one_commit() -> None:
    """By count and by bytes."""
    store = Counting()
    assert len(await commit_together(store, puts(*map(str, range(100))))) == 100
    assert len(await commit_together(store, puts("a", "b", "c", size=3 * 1024 * 1024))) == 3
    assert await commit_together(store, []) == []
    assert store.sizes == [100, 2, 1]


async def test_one_refusal_does_not_concern_the_others() -> None:
    """The others are stored; the refused one answers its error."""
    store = Counting()
    answers = await commit_together(store, [*puts("a"), Put(SPACE, "b", b"1", 99), *puts("c")])
    assert [type(answer) for answer in answers] == [Outcome, Conflict, Outcome]
    assert store.sizes == [3, 1, 1, 1]


async def test_a_store_that_is_away_is_not_asked_for_each() -> None:
    """All get the same answer."""
    store = Counting()
    store.failure = Unavailable("it is away")
    assert await commit_together(store, puts("a", "b")) == [store.failure] * 2
    assert store.sizes == [2]
