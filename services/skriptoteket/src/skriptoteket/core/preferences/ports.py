"""PreferenceStore: settings by compare-and-set, and seen instructions."""

from typing import Protocol

from skriptoteket.core.catalog.ports import ToolStore
from skriptoteket.core.identifiers import ToolId
from skriptoteket.core.preferences.models import UserSettings
from skriptoteket.core.versions.ports import VersionStore


class PreferenceStore(Protocol):
    """Keeps what people prefer. No method ends a transaction."""

    async def settings(self, tool_id: ToolId, subject: str, *, trial: bool = False) -> UserSettings:
        """What was saved; without values and with rev 0 where nothing was."""
        ...

    async def save_settings(self, settings: UserSettings, expected_rev: int) -> bool:
        """Insert or replace when the stored rev is still ``expected_rev``; whether it was."""
        ...

    async def seen(self, tool_id: ToolId, subject: str) -> str:
        """The hash of the instructions that were seen last; empty for none."""
        ...

    async def see(self, tool_id: ToolId, subject: str, instructions_hash: str) -> None: ...

    async def forget(self, subject: str) -> int:
        """Delete everything that somebody kept; how many rows that were."""
        ...


class PreferenceUnit(Protocol):
    """One transaction as the verbs of preferences see it."""

    @property
    def preferences(self) -> PreferenceStore: ...

    @property
    def tools(self) -> ToolStore: ...

    @property
    def versions(self) -> VersionStore: ...
