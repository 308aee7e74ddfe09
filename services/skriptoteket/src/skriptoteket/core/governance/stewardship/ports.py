"""StewardshipStore: change records; maintainers themselves belong to the tool."""

from collections.abc import Sequence
from typing import Protocol

from skriptoteket.core.catalog.ports import ToolStore
from skriptoteket.core.governance.stewardship.models import StewardshipRecord
from skriptoteket.core.identifiers import ToolId


class StewardshipStore(Protocol):
    """Keeps records. No method ends a transaction."""

    async def add(self, record: StewardshipRecord) -> None: ...

    async def of_tool(self, tool_id: ToolId) -> Sequence[StewardshipRecord]:
        """Oldest first."""
        ...


class StewardshipUnit(Protocol):
    """One transaction as the verbs of stewardship see it."""

    @property
    def stewardship(self) -> StewardshipStore: ...

    @property
    def tools(self) -> ToolStore: ...
