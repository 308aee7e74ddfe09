"""SessionStore: tool sessions, one row for each person, tool and context."""

from typing import Protocol

from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.runs.ports.neighbours import RunSessions
from skriptoteket.core.runs.ports.unit import RunUnit


class SessionStore(RunSessions, Protocol):
    """Keeps tool sessions. No method ends a transaction."""

    async def get(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None: ...

    async def lock(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """The session, with its row locked until the transaction ends."""
        ...

    async def put(self, session: ToolSession) -> None:
        """Insert or replace."""
        ...

    async def remove(self, tool_id: ToolId, subject: str, context: str) -> None:
        """Idempotent."""
        ...


class InteractionUnit(RunUnit, Protocol):
    """One transaction as the verbs of sessions see it."""

    @property
    def sessions(self) -> SessionStore: ...
