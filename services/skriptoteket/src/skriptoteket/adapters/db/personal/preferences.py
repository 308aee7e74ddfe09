"""PreferenceStore on SQL."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import favourites, seen_instructions, trial_settings, user_settings
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.preferences.models import UserSettings


class SqlPreferenceStore:
    """Settings and seen instructions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def settings(self, tool_id: ToolId, subject: str, *, trial: bool = False) -> UserSettings:
        """What was saved; rev 0 where nothing was."""
        of = (trial_settings if trial else user_settings).c
        query = select(of.saved, of.rev).where(of.tool_id == tool_id, of.subject == subject)
        row = (await self._session.execute(query)).first()
        values, rev = row if row is not None else ({}, 0)
        return UserSettings(tool_id, subject, values, rev, trial)

    async def save_settings(self, settings: UserSettings, expected_rev: int) -> bool:
        """Insert or replace when the stored rev is the expected one."""
        table = trial_settings if settings.trial else user_settings
        of = table.c
        key = {"tool_id": settings.tool_id, "subject": settings.subject}
        row = {"saved": dict(settings.values), "rev": settings.rev}
        if expected_rev:
            place = [getattr(of, name) == value for name, value in key.items()]
            statement = update(table).where(*place, of.rev == expected_rev).values(row)
            return await rows_changed(self._session, statement) == 1
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(table).values({**key, **row}))
        except IntegrityError:
            return False
        return True

    async def seen(self, tool_id: ToolId, subject: str) -> str:
        """The hash of what was seen last."""
        of = seen_instructions.c
        query = select(of.instructions_hash).where(of.tool_id == tool_id, of.subject == subject)
        return (await self._session.execute(query)).scalar() or ""

    async def see(self, tool_id: ToolId, subject: str, instructions_hash: str) -> None:
        """Insert or replace."""
        of = seen_instructions.c
        row = {"tool_id": tool_id, "subject": subject, "instructions_hash": instructions_hash}
        statement = update(seen_instructions).where(of.tool_id == tool_id, of.subject == subject).values(row)
        if await rows_changed(self._session, statement) == 0:
            await self._session.execute(insert(seen_instructions).values(row))

    async def forget(self, subject: str) -> int:
        """Settings, seen instructions and favourites of somebody."""
        tables = (user_settings, trial_settings, seen_instructions, favourites)
        return sum([await rows_changed(self._session, delete(t).where(t.c.subject == subject)) for t in tables])
