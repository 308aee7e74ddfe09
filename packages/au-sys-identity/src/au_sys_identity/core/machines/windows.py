"""MfaWindows: until when a code counts for a key."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class MfaWindows(Protocol):
    """One per key; the newest counts."""

    async def open(self, key_id: UUID, *, until: datetime) -> None: ...

    async def is_open(self, key_id: UUID, now: datetime) -> bool: ...

    async def forget_expired(self, now: datetime) -> None: ...
