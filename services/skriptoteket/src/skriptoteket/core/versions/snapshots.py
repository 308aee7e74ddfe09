"""Unsaved text that an author tries out: kept for a day, reused when nothing changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.versions.models import Behaviour

SNAPSHOT_TIME = timedelta(hours=24)
MAX_SNAPSHOT_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class SandboxSnapshot:
    """The behaviour of an editor's content at the moment somebody pressed *Try*."""

    id: UUID
    tool_id: ToolId
    author: str
    behaviour: Behaviour
    content_hash: str
    behaviour_hash: str
    created_at: datetime
    expires_at: datetime


class SnapshotStore(Protocol):
    """Keeps snapshots. No method ends a transaction."""

    async def add(self, snapshot: SandboxSnapshot) -> None: ...

    async def get(self, snapshot_id: UUID) -> SandboxSnapshot:
        """Raises ``NotFound``."""
        ...

    async def equal(self, tool_id: ToolId, author: str, behaviour_hash: str, now: datetime) -> SandboxSnapshot | None:
        """A live one of this author with the same behaviour."""
        ...

    async def prolong(self, snapshot_id: UUID, until: datetime) -> None: ...

    async def forget_expired(self, now: datetime) -> int:
        """Remove those whose time is over; how many."""
        ...
