"""Runs as they are kept: their store, what it is asked, and what is kept beside a run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Artifact, Run, RunState, StreamText
from skriptoteket.core.runs.sight import RunAccess


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs a list shows; ``None`` means every."""

    requested_by: str | None = None
    tool_id: ToolId | None = None
    states: frozenset[RunState] | None = None
    contexts: frozenset[str] | None = None
    outcomes: frozenset[str] | None = None
    shared: bool = False
    behaviour_hash: str | None = None
    after: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One step of the live view. ``id`` increases per run; ``kind`` is queue, state, progress, log or done."""

    id: int
    kind: str
    data: Mapping[str, JsonValue]
    at: datetime


@dataclass(frozen=True, slots=True)
class RunLogs:
    """What a run printed."""

    stdout: StreamText
    stderr: StreamText


@dataclass(frozen=True, slots=True)
class ExpiringRuns:
    """Finished runs whose ``kind`` of data (inputs, artifacts, logs, results, runs) is older than ``before`` and still
    there."""

    kind: str
    before: datetime
    after: RunId | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A submission that was made under an idempotency key."""

    fingerprint: str
    run_id: RunId


@dataclass(frozen=True, slots=True)
class Upkeep:
    """How a duty of the service last went. ``failures`` are those of the last round."""

    name: str
    tried_at: datetime
    succeeded_at: datetime | None
    failures: int
    counts: Mapping[str, int]


class RunStore(Protocol):
    """Reads and keeps runs. No method ends a transaction."""

    async def add(self, run: Run) -> None: ...

    async def get(self, run_id: RunId) -> Run:
        """The run. Raises ``NotFound``."""
        ...

    async def page(self, wanted: RunFilter, limit: int, before: RunId | None = None) -> Sequence[Run]:
        """Newest first, without removed ones; run ids are UUIDv7, so their order is the order of submission."""
        ...

    async def artifacts(self, run_id: RunId) -> Sequence[Artifact]: ...

    async def logs(self, run_id: RunId) -> RunLogs: ...

    async def append_events(
        self, run_id: RunId, events: Sequence[tuple[str, Mapping[str, JsonValue]]], at: datetime
    ) -> None:
        """Add ``(kind, data)`` pairs to the live view, in order."""
        ...

    async def events(self, run_id: RunId, after: int = 0, limit: int = 500) -> Sequence[RunEvent]: ...

    async def remember(self, scope: str, kept: Remembered, now: datetime, until: datetime) -> None:
        """Keep what an idempotency key stands for. Raises ``Conflict`` (duplicate) when another request was faster."""
        ...

    async def remembered(self, scope: str, now: datetime) -> Remembered | None: ...

    async def expiring(self, wanted: ExpiringRuns, limit: int) -> Sequence[Run]:
        """In the order of submission."""
        ...

    async def forget_files(self, run_id: RunId) -> None:
        """Keep the artifacts' names, without their blobs."""
        ...

    async def forget_artifacts(self, run_id: RunId) -> None:
        """Their names too."""
        ...

    async def forget_logs(self, run_id: RunId) -> None: ...

    async def note_access(self, access: RunAccess) -> None: ...

    async def accesses(self, run_id: RunId) -> Sequence[RunAccess]:
        """Oldest first."""
        ...

    async def outcomes(self, since: datetime) -> Mapping[str, int]:
        """How many runs ended how since then."""
        ...

    async def outcomes_of_tools(self, tools: Collection[ToolId], since: datetime) -> Mapping[ToolId, Mapping[str, int]]:
        """How many runs outside sandboxes ended how since then, for each of the tools."""
        ...

    async def tried(self, tool_id: ToolId, behaviour_hash: str) -> bool:
        """Whether a sandbox run of exactly this behaviour succeeded."""
        ...

    async def upkeep(self, name: str) -> Upkeep | None: ...

    async def keep_upkeep(self, done: Upkeep) -> None:
        """Insert or replace."""
        ...

    async def forget_live_view(self, before: datetime, now: datetime) -> None:
        """Remove events of runs that ended earlier, and idempotency keys whose time is over."""
        ...

    async def remove(self, run_id: RunId) -> None:
        """The row and everything that belongs to it."""
        ...

    async def update(self, run: Run) -> None:
        """Replace a run that no worker holds (retention, cancel in the queue). Raises ``NotFound``."""
        ...
