"""Bounds of a transaction and the life of its answers."""

import pytest

from au_sys_storage_sdk import TooLarge, open_storage
from au_sys_storage_sdk.core.errors import InvalidInput


async def test_steps_and_bytes_are_bounded() -> None:
    """A thousand steps and 8 MiB."""
    async with open_storage("memory:") as storage:
        space = storage.namespace("things")
        steps = storage.transaction()
        for number in range(1000):
            steps.put(space, str(number), 1)
        with pytest.raises(TooLarge, match="1001 operations"):
            steps.put(space, "more", 1)
        heavy = storage.transaction()
        for number in range(8):
            heavy.put(space, str(number), "x" * 1_000_000)
        with pytest.raises(TooLarge, match="8388608 bytes"):
            heavy.put(space, "more", "x" * 1_000_000)


async def test_answers_exist_after_the_commit_only() -> None:
    """Reading one inside the block is an error that says so."""
    async with open_storage("memory:") as storage:
        async with storage.transaction() as steps:
            answer = steps.put(storage.namespace("things"), "k", 1)
            with pytest.raises(InvalidInput, match="not committed"):
                _ = answer.version
        assert answer.version == 1


async def test_an_empty_transaction_writes_nothing() -> None:
    """The sequence stays."""
    async with open_storage("memory:") as storage:
        async with storage.transaction():
            pass
        assert await storage.sequence() == 0
