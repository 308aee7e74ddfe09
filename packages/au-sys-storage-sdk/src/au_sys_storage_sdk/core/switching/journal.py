"""What survives a crash of the switch: which backend is the one, and how far the move to the next has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from au_sys_storage_sdk.core.switching.models import Phase


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest state. ``active`` names the backend that serves; ``since`` is where the tail of the move begins."""

    active: str
    epoch: int
    operation: str = ""
    target: str = ""
    phase: Phase = Phase.FLIPPED
    since: int = 0
    previous: str = ""
    flipped_at: int = 0


class Journal(Protocol):
    """Keeps one entry durably; a write is there as a whole or not at all."""

    async def read(self) -> Entry | None: ...

    async def write(self, entry: Entry) -> None: ...
