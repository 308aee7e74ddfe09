"""SessionStore in a dictionary."""

from collections.abc import Sequence
from datetime import datetime

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.runs.models import InputFile, Run


class MemorySessionStore:
    """Tool sessions; the unit of work admits one writer at a time."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def begin(self, run: Run, now: datetime, *, keep_files: bool = True) -> None:
        """A fresh run forgets offer and state."""
        key = (run.tool_id, run.requested_by, run.session_context)
        known = self._state.sessions.get(key)
        files = known.files if known is not None and keep_files else ()
        rev = known.rev + 1 if known else 1
        self._state.sessions[key] = ToolSession(*key, now, rev=rev, pending_run_id=run.id, files=files)

    async def kept_files(self, tool_id: ToolId, subject: str, context: str) -> Sequence[InputFile]:
        """The uploads that wait for the next step."""
        found = await self.get(tool_id, subject, context)
        return found.files if found is not None else ()

    async def get(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """The session, if there is one."""
        return self._state.sessions.get((tool_id, subject, context))

    async def rev_for(self, run: Run) -> int | None:
        """The rev to go on from after the run."""
        found = await self.get(run.tool_id, run.requested_by, run.session_context)
        return found.rev_for(run) if found is not None else None

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
