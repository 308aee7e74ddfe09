"""StreamStore over a dictionary; time is the process's monotonic clock."""

import time
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from skriptoteket.adapters.memory.state import State


class MemoryStreamStore:
    """Open streams."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def take(self, stream: UUID, subject: str, most: int, lease: timedelta) -> bool:
        """One of the subject's places, if one is free."""
        now = time.monotonic()
        kept = {key: found for key, found in self._state.streams.items() if found[1] >= now}
        self._state.streams = kept
        if sum(owner == subject for owner, _ in kept.values()) >= most:
            return False
        kept[stream] = (subject, now + lease.total_seconds())
        return True

    async def renew(self, streams: Collection[UUID], lease: timedelta) -> None:
        """Prolong what is still there."""
        until = time.monotonic() + lease.total_seconds()
        for stream in self._state.streams.keys() & set(streams):
            self._state.streams[stream] = (self._state.streams[stream][0], until)

    async def count(self) -> int:
        """How many are open, of everybody."""
        now = time.monotonic()
        return sum(until >= now for _, until in self._state.streams.values())

    async def leave(self, stream: UUID) -> None:
        """Idempotent."""
        self._state.streams.pop(stream, None)
