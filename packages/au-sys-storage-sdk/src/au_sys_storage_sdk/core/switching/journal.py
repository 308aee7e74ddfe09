"""What survives a crash of the switch: which backend is the one, and how far the move to the next has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from au_sys_storage_sdk.core.switching.models import Phase

Cursor = tuple[str, str, str]
"""Tenant, namespace and key of the last document that was copied."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest state. ``active`` names the backend that serves; ``since`` is where the tail of the move begins.

    ``previous`` is kept in step until ``until`` (Unix ms), so that the way back is short; then it is let go.
    ``origin`` is the operation that made the active backend what it is.
    """

    active: str
    epoch: int
    operation: str = ""
    target: str = ""
    phase: Phase = Phase.FLIPPED
    since: int = 0
    previous: str = ""
    flipped_at: int = 0
    until: int = 0
    cursor: Cursor | None = None
    rate: float | None = None
    origin: str = ""


class Journal(Protocol):
    """Keeps one entry durably; a write is there as a whole or not at all."""

    async def read(self) -> Entry | None: ...

    async def write(self, entry: Entry) -> None: ...
