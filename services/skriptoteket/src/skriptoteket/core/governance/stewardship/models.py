"""Who changed who looks after a tool."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from skriptoteket.core.identifiers import ToolId


class StewardshipAction(StrEnum):
    """What happened to the people of a tool."""

    ADDED = "added"
    REMOVED = "removed"
    OWNER_CHANGED = "owner_changed"


@dataclass(frozen=True, slots=True)
class StewardshipRecord:
    """One change, append-only."""

    id: UUID
    tool_id: ToolId
    action: StewardshipAction
    subject: str
    by: str
    at: datetime
    reason: str
