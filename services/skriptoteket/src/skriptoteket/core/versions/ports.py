"""VersionStore and DraftLockStore: where versions, decisions and locks are kept."""

from collections.abc import Sequence
from typing import Protocol

from skriptoteket.core.catalog.ports import RetiredRuns, ToolStore
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.versions.models import (
    DraftLock,
    ToolVersion,
    VersionDecision,
    VersionState,
)


class VersionStore(Protocol):
    """Versions are appended; ``update`` writes only state, audit and note fields. No method ends a transaction."""

    async def add(self, version: ToolVersion) -> None:
        """Raises ``Conflict`` (version_race) when the number, the active or the review place is taken."""
        ...

    async def get(self, version_id: VersionId) -> ToolVersion:
        """Raises ``NotFound``."""
        ...

    async def update(self, version: ToolVersion) -> None:
        """Raises ``NotFound``, and ``Conflict`` as :meth:`add` does."""
        ...

    async def of_tool(self, tool_id: ToolId) -> Sequence[ToolVersion]:
        """Newest number first."""
        ...

    async def in_state(self, state: VersionState) -> Sequence[ToolVersion]:
        """Of every tool, oldest submission first."""
        ...

    async def highest_number(self, tool_id: ToolId) -> int: ...

    async def add_decision(self, decision: VersionDecision) -> None: ...

    async def decisions(self, tool_id: ToolId) -> Sequence[VersionDecision]:
        """Every verdict on the tool's versions, oldest first."""
        ...


class DraftLockStore(Protocol):
    """One lock per tool."""

    async def get(self, tool_id: ToolId) -> DraftLock | None: ...

    async def put(self, lock: DraftLock) -> None: ...

    async def release(self, tool_id: ToolId) -> None: ...


class TrialRecord(Protocol):
    """The runs, as far as a review asks about them."""

    async def tried(self, tool_id: ToolId, behaviour_hash: str) -> bool:
        """Whether a sandbox run of exactly this behaviour succeeded."""
        ...


class VersionUnit(Protocol):
    """One transaction as the verbs of versions see it."""

    @property
    def versions(self) -> VersionStore: ...

    @property
    def locks(self) -> DraftLockStore: ...

    @property
    def tools(self) -> ToolStore: ...

    @property
    def queue(self) -> RetiredRuns: ...

    @property
    def runs(self) -> TrialRecord: ...
