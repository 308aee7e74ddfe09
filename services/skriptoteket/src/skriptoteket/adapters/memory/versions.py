"""VersionStore, DraftLockStore and SnapshotStore in dictionaries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import ToolId, VersionId
from skriptoteket.core.versions.models import DraftLock, ToolVersion, VersionDecision, VersionState
from skriptoteket.core.versions.snapshots import SandboxSnapshot

_FROZEN = ("tool_id", "version_number", "behaviour", "content_hash", "behaviour_hash", "created_by", "created_at")


class MemoryVersionStore:
    """Versions and the verdicts on them."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, version: ToolVersion) -> None:
        """Raises ``Conflict`` (version_race)."""
        self._refuse_race(version)
        if any(each.version_number == version.version_number for each in await self.of_tool(version.tool_id)):
            raise self._race(version)
        self._state.versions[version.id] = version

    async def get(self, version_id: VersionId) -> ToolVersion:
        """Raises ``NotFound``."""
        if version_id not in self._state.versions:
            raise NotFound("version", version_id)
        return self._state.versions[version_id]

    async def update(self, version: ToolVersion) -> None:
        """Write state, audit and note fields. Raises ``NotFound`` and ``Conflict`` (version_race)."""
        before = await self.get(version.id)
        self._refuse_race(version)
        frozen = {name: getattr(before, name) for name in _FROZEN}
        self._state.versions[version.id] = replace(version, **frozen)

    async def of_tool(self, tool_id: ToolId) -> Sequence[ToolVersion]:
        """Newest number first."""
        found = [each for each in self._state.versions.values() if each.tool_id == tool_id]
        return sorted(found, key=lambda each: -each.version_number)

    async def in_state(self, state: VersionState) -> Sequence[ToolVersion]:
        """Oldest submission first."""
        found = [each for each in self._state.versions.values() if each.state is state]
        return sorted(found, key=lambda each: (each.submitted_at or each.created_at, each.id))

    async def highest_number(self, tool_id: ToolId) -> int:
        """The highest number given so far, 0 before the first."""
        return max((each.version_number for each in await self.of_tool(tool_id)), default=0)

    async def add_decision(self, decision: VersionDecision) -> None:
        """Append a verdict."""
        self._state.decisions[len(self._state.decisions)] = decision

    async def decisions(self, tool_id: ToolId) -> Sequence[VersionDecision]:
        """Oldest first."""
        return [each for each in self._state.decisions.values() if each.tool_id == tool_id]

    def _refuse_race(self, version: ToolVersion) -> None:
        single = (VersionState.ACTIVE, VersionState.IN_REVIEW)
        others = [
            each
            for each in self._state.versions.values()
            if each.tool_id == version.tool_id and each.id != version.id and each.state is version.state
        ]
        if version.state in single and others:
            raise self._race(version)

    def _race(self, version: ToolVersion) -> Conflict:
        text = "Somebody else changed this tool's versions at the same moment. Load the page and try again."
        return Conflict("version_race", text, {"version_number": version.version_number})


class MemoryDraftLockStore:
    """One lock per tool."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def get(self, tool_id: ToolId) -> DraftLock | None:
        """The lock, live or over."""
        return self._state.locks.get(tool_id)

    async def put(self, lock: DraftLock) -> None:
        """Insert or replace."""
        self._state.locks[lock.tool_id] = lock

    async def release(self, tool_id: ToolId) -> None:
        """Idempotent."""
        self._state.locks.pop(tool_id, None)


class MemorySnapshotStore:
    """What authors tried out."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, snapshot: SandboxSnapshot) -> None:
        """Insert."""
        self._state.snapshots[snapshot.id] = snapshot

    async def get(self, snapshot_id: UUID) -> SandboxSnapshot:
        """Raises ``NotFound``."""
        if snapshot_id not in self._state.snapshots:
            raise NotFound("snapshot", snapshot_id)
        return self._state.snapshots[snapshot_id]

    async def equal(self, tool_id: ToolId, author: str, behaviour_hash: str, now: datetime) -> SandboxSnapshot | None:
        """A live one of this author with the same behaviour."""
        wanted = (tool_id, author, behaviour_hash)
        return next(
            (
                each
                for each in self._state.snapshots.values()
                if (each.tool_id, each.author, each.behaviour_hash) == wanted and each.expires_at > now
            ),
            None,
        )

    async def prolong(self, snapshot_id: UUID, until: datetime) -> None:
        """Keep it longer. Raises ``NotFound``."""
        self._state.snapshots[snapshot_id] = replace(await self.get(snapshot_id), expires_at=until)

    async def forget_expired(self, now: datetime) -> int:
        """Those whose time is over."""
        over = [each.id for each in self._state.snapshots.values() if each.expires_at < now]
        for snapshot_id in over:
            del self._state.snapshots[snapshot_id]
        return len(over)
