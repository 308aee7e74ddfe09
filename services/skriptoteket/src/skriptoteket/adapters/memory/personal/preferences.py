"""PreferenceStore in dictionaries."""

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.preferences.models import UserSettings


class MemoryPreferenceStore:
    """Settings and seen instructions."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def settings(self, tool_id: ToolId, subject: str, *, trial: bool = False) -> UserSettings:
        """What was saved; rev 0 where nothing was."""
        found = self._state.settings.get((tool_id, subject, trial))
        return found or UserSettings(tool_id, subject, trial=trial)

    async def save_settings(self, settings: UserSettings, expected_rev: int) -> bool:
        """Insert or replace when the stored rev is the expected one."""
        known = await self.settings(settings.tool_id, settings.subject, trial=settings.trial)
        if known.rev != expected_rev:
            return False
        self._state.settings[settings.tool_id, settings.subject, settings.trial] = settings
        return True

    async def seen(self, tool_id: ToolId, subject: str) -> str:
        """The hash of what was seen last."""
        return self._state.seen.get((tool_id, subject), "")

    async def see(self, tool_id: ToolId, subject: str, instructions_hash: str) -> None:
        """Insert or replace."""
        self._state.seen[tool_id, subject] = instructions_hash

    async def forget(self, subject: str) -> int:
        """Settings, seen instructions and favourites of somebody."""
        settings = [key for key in self._state.settings if key[1] == subject]
        seen = [key for key in self._state.seen if key[1] == subject]
        for setting in settings:
            del self._state.settings[setting]
        for instruction in seen:
            del self._state.seen[instruction]
        return len(settings) + len(seen) + len(self._state.favourites.pop(subject, frozenset()))
