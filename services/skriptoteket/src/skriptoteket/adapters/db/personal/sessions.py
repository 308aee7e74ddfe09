"""SessionStore on SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import Row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import tool_sessions
from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.interaction.models import ToolSession
from skriptoteket.core.runs.models import InputFile, Run

Key = tuple[ToolId, str, str]


class SqlSessionStore:
    """Tool sessions; a row is locked before it moves."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def begin(self, run: Run, now: datetime, *, keep_files: bool = True) -> None:
        """A fresh run forgets offer and state."""
        key = (run.tool_id, run.requested_by, run.session_context)
        known = await self.lock(*key)
        files = known.files if known is not None and keep_files else ()
        fresh = ToolSession(*key, now, rev=known.rev + 1 if known else 1, pending_run_id=run.id, files=files)
        if known is not None:
            await self.put(fresh)
            return
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(tool_sessions).values(_row(fresh)))
        except IntegrityError:  # another first run of this person was faster: go on from its row
            await self.begin(run, now, keep_files=keep_files)

    async def kept_files(self, tool_id: ToolId, subject: str, context: str) -> Sequence[InputFile]:
        """The uploads that wait for the next step."""
        found = await self.get(tool_id, subject, context)
        return found.files if found is not None else ()

    async def get(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """The session, if there is one."""
        return await self._one(_of((tool_id, subject, context)))

    async def rev_for(self, run: Run) -> int | None:
        """The rev to go on from after the run."""
        found = await self.get(run.tool_id, run.requested_by, run.session_context)
        return found.rev_for(run) if found is not None else None

    async def lock(self, tool_id: ToolId, subject: str, context: str) -> ToolSession | None:
        """With the row locked."""
        return await self._one(_of((tool_id, subject, context)).with_for_update())

    async def put(self, session: ToolSession) -> None:
        """Insert or replace."""
        place = _place((session.tool_id, session.subject, session.context))
        if await rows_changed(self._session, update(tool_sessions).where(*place).values(_row(session))) == 0:
            await self._session.execute(insert(tool_sessions).values(_row(session)))

    async def remove(self, tool_id: ToolId, subject: str, context: str) -> None:
        """Idempotent."""
        await self._session.execute(delete(tool_sessions).where(*_place((tool_id, subject, context))))

    async def forget_unused(self, before: datetime) -> int:
        """Sessions that were last used earlier."""
        return await rows_changed(self._session, delete(tool_sessions).where(tool_sessions.c.last_used_at < before))

    async def forget(self, subject: str) -> int:
        """Every session of somebody."""
        return await rows_changed(self._session, delete(tool_sessions).where(tool_sessions.c.subject == subject))

    async def forget_run(self, run_id: RunId) -> int:
        """The session that goes on from it."""
        return await rows_changed(self._session, delete(tool_sessions).where(tool_sessions.c.run_id == run_id))

    async def _one(self, query: Select[tuple[object, ...]]) -> ToolSession | None:
        row = (await self._session.execute(query)).mappings().first()
        return _session_of(row) if row is not None else None


def _place(key: Key) -> list[ColumnElement[bool]]:
    of = tool_sessions.c
    return [of.tool_id == key[0], of.subject == key[1], of.context == key[2]]


def _of(key: Key) -> Select[tuple[object, ...]]:
    return select(tool_sessions).where(*_place(key))


def _row(session: ToolSession) -> dict[str, object]:
    return {
        "tool_id": session.tool_id,
        "subject": session.subject,
        "context": session.context,
        "offer": [dict(each) for each in session.offer],
        "state": None if session.state is None else dict(session.state),
        "rev": session.rev,
        "run_id": session.run_id,
        "pending_run_id": session.pending_run_id,
        "last_used_at": session.last_used_at,
        "files": [asdict(file) for file in session.files],
    }


def _session_of(row: Row) -> ToolSession:
    return ToolSession(
        row["tool_id"],
        row["subject"],
        row["context"],
        row["last_used_at"],
        tuple(row["offer"]),
        row["state"],
        row["rev"],
        _run_id(row["run_id"]),
        _run_id(row["pending_run_id"]),
        tuple(InputFile(**file) for file in row["files"] or ()),
    )


def _run_id(value: UUID | None) -> RunId | None:
    return None if value is None else RunId(value)
