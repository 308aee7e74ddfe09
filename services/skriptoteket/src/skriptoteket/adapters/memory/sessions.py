"""SessionStore in a dictionary."""

from datetime import datetime

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.runs.models import Run


class MemorySessionStore:
    """Tool sessions; the unit of work admits one writer at a time."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def begin(self, run: Run, now: datetime) -> None:
        """A fresh run forgets offer and state."""
        key = (run.tool_id, run.requested_by, run.session_context)
        known = self._state.sessions.get(key)
        self._state.sessions[key] = ToolSession(*key, now, rev=known.rev + 1 if known else 1, pending_run_id=run.id)

    async def get(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """The session, if there is one."""
        return self._state.sessions.get((tool_id, subject, context))

    async def lock(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """Reading is enough."""
        return await self.get(tool_id, subject, context)

    async def put(self, session: ToolSession) -> None:
        """Insert or replace."""
        self._state.sessions[session.tool_id, session.subject, session.context] = session

    async def remove(self, tool_id: ToolId, subject: str, context: str) -> None:
        """Idempotent."""
        self._state.sessions.pop((tool_id, subject, context), None)

    async def forget_unused(self, before: datetime) -> int:
        """Sessions that were last used earlier."""
        return self._drop([key for key, each in self._state.sessions.items() if each.last_used_at < before])

    async def forget(self, subject: str) -> int:
        """Every session of somebody."""
        return self._drop([key for key in self._state.sessions if key[1] == subject])

    async def forget_run(self, run_id: RunId) -> int:
        """The session that goes on from it."""
        return self._drop([key for key, each in self._state.sessions.items() if each.run_id == run_id])

    def _drop(self, keys: list[tuple[ToolId, str, str]]) -> int:
        for key in keys:
            del self._state.sessions[key]
        return len(keys)
