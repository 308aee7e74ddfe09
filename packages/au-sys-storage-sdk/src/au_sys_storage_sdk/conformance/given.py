"""What the suites for document backends have in common: a clock that they turn, a typed value, a look at the feed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from au_sys_storage_sdk.core.documents.models import Change


class Person(msgspec.Struct, frozen=True):
    """A typed value."""

    name: str
    age: int


class Ticking:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


async def first(changes: AsyncIterator[Change], number: int) -> list[tuple[int, str, str]]:
    """Sequence, event and key of the next changes."""
    found: list[tuple[int, str, str]] = []
    async for change in changes:
        found.append((change.seq, change.event, change.key))
        if len(found) == number:
            break
    return found
