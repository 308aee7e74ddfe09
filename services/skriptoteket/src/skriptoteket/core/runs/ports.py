"""What runs need from outside: their store, the queue, a place for files, and a bell."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from skriptoteket.core.catalog.ports import ToolStore
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.preferences.ports import PreferenceStore
from skriptoteket.core.runs.models import (
    Artifact,
    Claim,
    Ended,
    InputFile,
    OutcomeCode,
    Run,
    RunState,
    StreamText,
)
from skriptoteket.core.runs.sight import RunAccess
from skriptoteket.core.versions.ports import VersionStore
from skriptoteket.core.versions.snapshots import SnapshotStore


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


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """How much waits in a lane, and since when."""

    lane: str
    waiting: int
    oldest: datetime | None


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


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a worker may take now. ``lane_weights`` and the two caps shape the fair order; ``isolation_waived`` is for a
    worker that was started to isolate nothing."""

    environments: frozenset[str]
    capabilities: Mapping[str, str]
    memory_mib: int
    max_active_per_user: int = 3
    lane_weights: Mapping[str, int] | None = None
    isolation_waived: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a run stands in the queue: place in the real start order (1 is next) and how many wait in its lane."""

    position: int
    lane: str
    waiting: int


class RunQueue(Protocol):
    """The table of runs, seen as a queue with leases and fencing.

    Lease time is a clock that no one can set (the host's boot clock with SQLite, the server's with PostgreSQL); the
    adapter reads it.
    Every method is called inside a write transaction of the unit of work and does not end it. A write with a stale
    claim raises
    ``Fenced``.
    """

    async def claim(self, worker: WorkerId, rules: ClaimRules, now: datetime, lease: timedelta) -> Run | None:
        """The next run in fair order, now ``starting``, with ``attempt`` raised by one and leased to the worker; or
        ``None``."""
        ...

    async def renew(self, claims: Collection[Claim], lease: timedelta) -> Collection[Claim]:
        """Prolong leases; the answer is the claims that are still held. What is missing from it is fenced."""
        ...

    async def move(
        self,
        claim: Claim,
        to: RunState,
        now: datetime,
        *,
        runner: str | None = None,
        isolation: Mapping[str, str] | None = None,
        environment_digest: str | None = None,
    ) -> Run:
        """Make one legal move that is not terminal. ``QUEUED`` gives an unstarted run back without charging a try."""
        ...

    async def finish(self, claim: Claim, ended: Ended, now: datetime) -> Run:
        """Write outcome, result, logs and artifact rows and the terminal state, together. Legal from ``starting`` and
        ``collecting``."""
        ...

    async def cancel_requested(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Those of the claims whose run somebody wants cancelled."""
        ...

    async def orphans(self, dead: Collection[WorkerId] = ()) -> Sequence[Run]:
        """Runs in starting, running or collecting whose lease is over (or belongs to another boot), or whose worker is
        in ``dead``."""
        ...

    async def rescue(self, run: Run, max_tries: int, now: datetime) -> Run:
        """End an orphan as ``lost``, or requeue it when it is idempotent and has tries left. Raises ``Fenced`` if it
        came alive."""
        ...

    async def overdue(self, now: datetime) -> Sequence[Run]:
        """End every queued run past its ``queue_deadline`` as timed_out/queue_timeout; the answer is the ended runs."""
        ...

    async def request_cancel(self, run_id: RunId, reason: str, now: datetime) -> Run:
        """Cancel a queued run at once, flag a starting or running one. Raises ``NotFound`` and ``Conflict``
        (wrong_state)."""
        ...

    async def retire(self, tool_id: ToolId, keep: VersionId | None, now: datetime) -> int:
        """Cancel waiting production, action and scheduled runs of the tool, except those of the version ``keep``."""
        ...

    async def depth(self, requested_by: str | None = None) -> int:
        """How many runs wait, of everybody or of one subject."""
        ...

    async def place(self, run_id: RunId) -> Waiting | None: ...

    async def oldest_waiting(self) -> datetime | None: ...

    async def lanes(self) -> Sequence[LaneLoad]:
        """Lanes in which something waits."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's own record: who it is, what it can isolate, and when it was last alive."""

    id: WorkerId
    host_id: str
    boot_id: str
    pid: int
    process_start: float
    version: str
    runner: str
    capabilities: Mapping[str, str]
    environments: tuple[str, ...]
    memory_budget_mib: int
    memory_reserved_mib: int
    draining: bool
    started_at: datetime
    heartbeat_at: datetime
    problem: str = ""
    fix: str = ""


class WorkerStore(Protocol):
    """Records of workers. A worker that can isolate nothing registers too, with ``runner=""`` and problem and fix
    filled in."""

    async def save(self, worker: Worker) -> None:
        """Insert or replace."""
        ...

    async def all(self) -> Sequence[Worker]: ...

    async def remove(self, worker: WorkerId) -> None: ...

    async def ask_to_drain(self, worker: WorkerId, at: datetime) -> bool:
        """Keep the wish beside the worker's own record; ``False`` when there is no such worker."""
        ...

    async def asked_to_drain(self, worker: WorkerId) -> bool: ...


SESSION_IDLE_TIME = timedelta(hours=24)
"""A tool session that nobody used for so long is over."""


class RunSessions(Protocol):
    """What runs do to tool sessions: a new one begins its session anew, the purge forgets unused ones."""

    async def begin(self, run: Run, now: datetime, *, keep_files: bool = True) -> None:
        """Forget offer and state, raise the rev, and wait for this run. Files that are kept for a next step stay,
        unless they are to go."""
        ...

    async def kept_files(self, tool_id: ToolId, subject: str, context: str) -> Sequence[InputFile]:
        """The uploads that a session keeps for its next step."""
        ...

    async def forget_unused(self, before: datetime) -> int:
        """Remove sessions that were last used earlier; how many."""
        ...

    async def forget(self, subject: str) -> int:
        """Remove every session of somebody; how many."""
        ...

    async def forget_run(self, run_id: RunId) -> int:
        """Remove the session that goes on from this run; how many."""
        ...


class RunSchedules(Protocol):
    """What the purge and a leaving owner ask of schedules."""

    async def known(self, schedule_id: UUID) -> bool:
        """Whether there is such a schedule, so that its files stay."""
        ...

    async def forget(self, subject: str) -> int:
        """Remove every schedule of somebody; how many."""
        ...

    async def forget_history(self, before: datetime) -> int:
        """Remove what due times came to that are older; how many."""
        ...


class RunUnit(Protocol):
    """One transaction as the verbs of runs see it."""

    @property
    def runs(self) -> RunStore: ...

    @property
    def queue(self) -> RunQueue: ...

    @property
    def workers(self) -> WorkerStore: ...

    @property
    def versions(self) -> VersionStore: ...

    @property
    def tools(self) -> ToolStore: ...

    @property
    def snapshots(self) -> SnapshotStore: ...

    @property
    def preferences(self) -> PreferenceStore: ...

    @property
    def sessions(self) -> RunSessions: ...

    @property
    def schedules(self) -> RunSchedules: ...


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that is durable now."""

    key: str
    bytes: int
    sha256: str


class ArtifactStore(Protocol):
    """Inputs and artifacts as blobs; keys are ``runs/<run id>/…``. Raises ``StorageUnavailable`` and ``NotFound``."""

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> StoredBlob:
        """Stream to a durable blob; when the iterator raises, nothing is kept."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]: ...

    async def delete(self, key: str) -> None:
        """Idempotent."""
        ...

    def keys(self, prefix: str) -> AsyncIterator[str]: ...


class Doorbell(Protocol):
    """Tells a worker that a run waits or shall be cancelled: a hint only, a 1 s poll is the safety net. Never
    raises."""

    async def ring(self, run_id: RunId) -> None: ...


OUTCOME_OF_KILL: Mapping[str, OutcomeCode] = {
    "timeout": OutcomeCode.TIMEOUT,
    "cancelled": OutcomeCode.CANCELLED,
    "drain": OutcomeCode.CANCELLED,
    "output_limit": OutcomeCode.OUTPUT_LIMIT,
    "out_of_memory": OutcomeCode.OUT_OF_MEMORY,
    "disk_limit": OutcomeCode.DISK_LIMIT,
    "infrastructure": OutcomeCode.INFRASTRUCTURE,
}
"""What a kill by the worker or the sandbox means for the run."""
