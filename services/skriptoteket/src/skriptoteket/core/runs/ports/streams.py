"""Who follows runs live now, whichever process serves them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol
from uuid import UUID


class StreamStore(Protocol):
    """Open streams, each with a lease on the clock that runs are leased by: one that nobody renews counts no more."""

    async def take(self, stream: UUID, subject: str, most: int, lease: timedelta) -> bool:
        """One of the subject's ``most`` places for the stream; ``False`` when all are taken."""
        ...

    async def renew(self, streams: Collection[UUID], lease: timedelta) -> None:
        """Prolong what is still there."""
        ...

    async def count(self) -> int:
        """How many are open, of everybody."""
        ...

    async def leave(self, stream: UUID) -> None:
        """Idempotent."""
        ...


class StreamUnit(Protocol):
    """One transaction as those who stream see it."""

    @property
    def streams(self) -> StreamStore: ...
