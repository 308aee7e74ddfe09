"""Run states, limits and outcome: one lifecycle for production, sandbox, action and scheduled runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from skriptoteket.core.errors import IllegalMove
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.json_values import JsonValue


class RunKind(StrEnum):
    """Why a run exists."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    ACTION = "action"
    SCHEDULED = "scheduled"


class RunContext(StrEnum):
    """Whose data a run may touch: the users' or an author's trial."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class Lane(StrEnum):
    """The part of the queue that a run waits in."""

    INTERACTIVE = "interactive"
    SANDBOX = "sandbox"
    SCHEDULED = "scheduled"


class SessionFiles(StrEnum):
    """What a step without uploads does with the files that its session keeps."""

    NONE = "none"
    REUSE = "reuse"
    CLEAR = "clear"


class RunState(StrEnum):
    """Where a run is; the last five are terminal."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    COLLECTING = "collecting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def terminal(self) -> bool:
        """True when nothing more happens to the run."""
        return self in TERMINAL


TERMINAL = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.TIMED_OUT, RunState.CANCELLED, RunState.LOST})
ACTIVE = frozenset({RunState.STARTING, RunState.RUNNING, RunState.COLLECTING})

MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.STARTING, RunState.CANCELLED, RunState.TIMED_OUT}),
    RunState.STARTING: frozenset(
        {RunState.QUEUED, RunState.RUNNING, RunState.FAILED, RunState.CANCELLED, RunState.LOST}
    ),
    RunState.RUNNING: frozenset({RunState.COLLECTING, RunState.QUEUED, RunState.LOST}),
    RunState.COLLECTING: frozenset(
        {
            RunState.SUCCEEDED,
            RunState.FAILED,
            RunState.TIMED_OUT,
            RunState.CANCELLED,
            RunState.QUEUED,
            RunState.LOST,
        }
    ),
    **{state: frozenset() for state in TERMINAL},
}
"""Every legal move; any other raises :class:`IllegalMove`."""


class OutcomeCode(StrEnum):
    """How a run ended; the first cause wins."""

    OK = "ok"
    INPUT_REFUSED = "input_refused"
    SCRIPT_ERROR = "script_error"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    DISK_LIMIT = "disk_limit"
    CONTRACT_VIOLATION = "contract_violation"
    INFRASTRUCTURE = "infrastructure"
    TIMEOUT = "timeout"
    QUEUE_TIMEOUT = "queue_timeout"
    CANCELLED = "cancelled"
    LOST = "lost"


STATE_OF_OUTCOME: Mapping[OutcomeCode, RunState] = {
    OutcomeCode.OK: RunState.SUCCEEDED,
    OutcomeCode.INPUT_REFUSED: RunState.FAILED,
    OutcomeCode.SCRIPT_ERROR: RunState.FAILED,
    OutcomeCode.OUT_OF_MEMORY: RunState.FAILED,
    OutcomeCode.OUTPUT_LIMIT: RunState.FAILED,
    OutcomeCode.DISK_LIMIT: RunState.FAILED,
    OutcomeCode.CONTRACT_VIOLATION: RunState.FAILED,
    OutcomeCode.INFRASTRUCTURE: RunState.FAILED,
    OutcomeCode.TIMEOUT: RunState.TIMED_OUT,
    OutcomeCode.QUEUE_TIMEOUT: RunState.TIMED_OUT,
    OutcomeCode.CANCELLED: RunState.CANCELLED,
    OutcomeCode.LOST: RunState.LOST,
}

PUBLIC_MESSAGES: Mapping[OutcomeCode, str] = {
    OutcomeCode.OK: "",
    OutcomeCode.INPUT_REFUSED: "The tool refused the input.",
    OutcomeCode.SCRIPT_ERROR: "The tool stopped because of an error in the tool.",
    OutcomeCode.OUT_OF_MEMORY: "The tool needed more memory than it may use.",
    OutcomeCode.OUTPUT_LIMIT: "The tool produced too much output.",
    OutcomeCode.DISK_LIMIT: "The tool filled its working space.",
    OutcomeCode.CONTRACT_VIOLATION: "The tool's answer could not be read.",
    OutcomeCode.INFRASTRUCTURE: "The service could not run the tool. Nothing is wrong with your file.",
    OutcomeCode.TIMEOUT: "The tool took longer than it may.",
    OutcomeCode.QUEUE_TIMEOUT: "The tool could not start in time.",
    OutcomeCode.CANCELLED: "Cancelled.",
    OutcomeCode.LOST: "The machine that ran this stopped. Please run it again.",
}
"""English sentence for each outcome, and the message id of its translation. ``input_refused`` shows the script's own
text instead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Sizes are MiB unless the name says otherwise, times are seconds."""

    wall_seconds: int = 120
    memory_mib: int = 512
    cpu: float = 1.0
    processes: int = 64
    workspace_mib: int = 256
    tmp_mib: int = 64
    shm_mib: int = 32
    inodes: int = 2000
    file_mib: int = 64
    open_files: int = 256
    artifact_count: int = 50
    artifact_mib: int = 64
    artifacts_total_mib: int = 128
    artifact_depth: int = 8
    artifact_name_bytes: int = 200
    result_bytes: int = 2 * 1024 * 1024
    stream_keep_bytes: int = 100_000
    stream_kill_bytes: int = 8 * 1024 * 1024
    progress_per_second: int = 20
    progress_bytes: int = 4096


@dataclass(frozen=True, slots=True)
class InputFile:
    """An uploaded file of a run. ``name`` is unique in the run; ``blob_key`` is ``None`` once retention removed it."""

    field: str
    name: str
    original_name: str
    bytes: int
    sha256: str
    blob_key: str | None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a run left in its output folder."""

    artifact_id: str
    path: str
    bytes: int
    sha256: str
    media_type: str
    blob_key: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run used. ``None`` where the runner could not measure it."""

    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_mib: float | None = None
    output_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class StreamText:
    """What is kept of stdout or stderr: first and last part, how many bytes there were and how many were dropped."""

    text: str = ""
    bytes: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. ``message`` is for the user, ``author_detail`` only for those who may read logs."""

    code: OutcomeCode
    message: str = ""
    author_detail: str = ""
    exit_code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Everything that the last transaction of a run writes: outcome, normalised result, logs and artifacts."""

    outcome: Outcome
    usage: Usage = field(default_factory=Usage)
    outputs: tuple[dict[str, JsonValue], ...] = ()
    next_actions: tuple[dict[str, JsonValue], ...] = ()
    state: dict[str, JsonValue] | None = None
    artifacts: tuple[Artifact, ...] = ()
    stdout: StreamText = field(default_factory=StreamText)
    stderr: StreamText = field(default_factory=StreamText)


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to write a run: valid while the lease lives and the attempt is the run's own (fencing token)."""

    run_id: RunId
    attempt: int
    worker: WorkerId


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, waiting, living or over. The row is queue and history at once."""

    id: RunId
    kind: RunKind
    context: RunContext
    lane: Lane
    state: RunState
    tool_id: ToolId
    version_id: VersionId | None
    snapshot_id: UUID | None
    behaviour_hash: str
    requested_by: str
    requested_at: datetime
    environment: str
    limits: Limits = field(default_factory=Limits)
    requirements: tuple[str, ...] = ()
    idempotent: bool = False
    files: tuple[InputFile, ...] = ()
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    action: Mapping[str, JsonValue] | None = None
    session_state: Mapping[str, JsonValue] | None = None
    locale: str = "en"
    schedule_id: UUID | None = None
    queue_deadline: datetime | None = None
    attempt: int = 0
    tries: int = 0
    lease_owner: WorkerId | None = None
    cancel_requested: bool = False
    cancel_reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    runner: str = ""
    isolation: Mapping[str, str] = field(default_factory=dict)
    environment_digest: str = ""
    outcome: OutcomeCode | None = None
    message: str = ""
    author_detail: str = ""
    exit_code: int | None = None
    signal: int | None = None
    usage: Usage = field(default_factory=Usage)
    outputs: tuple[dict[str, JsonValue], ...] = ()
    next_actions: tuple[dict[str, JsonValue], ...] = ()
    state_out: Mapping[str, JsonValue] | None = None
    inputs_expired_at: datetime | None = None
    artifacts_expired_at: datetime | None = None
    logs_expired_at: datetime | None = None
    result_expired_at: datetime | None = None
    shared_at: datetime | None = None
    deleted_at: datetime | None = None
    check_only: bool = False

    @property
    def session_context(self) -> str:
        """Which session of its requester the run belongs to: trials never mix with the real thing."""
        trial = self.context is RunContext.SANDBOX
        return f"sandbox:{self.snapshot_id or self.version_id}" if trial else "default"

    def with_share(self, at: datetime | None) -> "Run":
        """Shared with the tool's maintainers since, or not."""
        return replace(self, shared_at=at)

    @staticmethod
    def owns(file: InputFile) -> bool:
        """Whether the upload goes when the run does; files of a schedule are only lent."""
        return file.blob_key is not None and file.blob_key.startswith("runs/")

    @property
    def keeps_inputs(self) -> bool:
        """Whether the uploads outlive the run: an author tries again with them, and whoever was offered to go on may
        need them for the next step."""
        offers = self.state is RunState.SUCCEEDED and bool(self.next_actions)
        return self.context is RunContext.SANDBOX or offers

    @property
    def claim(self) -> Claim | None:
        """The claim of the worker that holds the lease now."""
        return None if self.lease_owner is None else Claim(self.id, self.attempt, self.lease_owner)


def advance(run: Run, to: RunState, at: datetime) -> Run:
    """The run in its next state, with ``started_at`` and ``finished_at`` kept honest.

    Raises:
        IllegalMove: the transition table has no such move.
    """
    if to not in MOVES[run.state]:
        raise IllegalMove(run.id, run.state, to)
    at = max(at, run.started_at or run.requested_at)
    if to is RunState.RUNNING:
        return replace(run, state=to, started_at=at)
    if to is RunState.QUEUED:
        return replace(run, state=to, started_at=None, lease_owner=None)
    if to.terminal:
        return replace(run, state=to, finished_at=at, lease_owner=None)
    return replace(run, state=to)


def finish(run: Run, ended: Ended, at: datetime) -> Run:
    """The run in the terminal state that its outcome asks for, with everything that came out of it.

    Raises:
        IllegalMove: the run is in a state that cannot end so.
    """
    code = ended.outcome.code
    done = advance(run, STATE_OF_OUTCOME[code], at)
    return replace(
        done,
        outcome=code,
        message=ended.outcome.message or PUBLIC_MESSAGES[code],
        author_detail=ended.outcome.author_detail,
        exit_code=ended.outcome.exit_code,
        signal=ended.outcome.signal,
        usage=ended.usage,
        outputs=ended.outputs,
        next_actions=ended.next_actions,
        state_out=ended.state,
    )
