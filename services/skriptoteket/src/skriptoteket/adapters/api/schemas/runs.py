"""Runs and results: wire shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, JsonValue

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.runs.models import Artifact, Run, SessionFiles
from skriptoteket.core.runs.ports.records import RunLogs
from skriptoteket.core.runs.queueing.waiting import Waiting
from skriptoteket.core.runs.watching import SeenRun


class ToolRef(BaseModel):
    """Which tool a run belongs to."""

    id: str
    slug: str
    title: str

    @classmethod
    def of(cls, tool: Tool) -> "ToolRef":
        """The wire shape of a reference."""
        return cls(id=str(tool.id), slug=tool.slug, title=tool.title)


class CancelOut(BaseModel):
    """A run that is cancelled, or is being stopped: ``state`` is ``cancelled`` within a second then."""

    id: str
    state: str
    cancel_requested: bool

    @classmethod
    def of(cls, run: Run) -> "CancelOut":
        """The wire shape."""
        return cls(id=str(run.id), state=run.state, cancel_requested=run.cancel_requested)


class QueueOut(BaseModel):
    """Where a waiting run stands."""

    position: int
    lane: str
    waiting: int
    estimate_s: int

    @classmethod
    def of(cls, waiting: Waiting) -> "QueueOut":
        """The wire shape of a place."""
        return cls(**asdict(waiting))


class ArtifactOut(BaseModel):
    """A file to download."""

    artifact_id: str
    path: str
    bytes: int
    media_type: str
    url: str
    expired: bool
    expires_at: datetime | None

    @classmethod
    def of(cls, artifact: Artifact, url: str, expires_at: datetime | None) -> "ArtifactOut":
        """The wire shape of a file."""
        return cls(
            artifact_id=artifact.artifact_id,
            path=artifact.path,
            bytes=artifact.bytes,
            media_type=artifact.media_type,
            url=url,
            expired=artifact.blob_key is None,
            expires_at=expires_at,
        )


class StreamOut(BaseModel):
    """What is kept of a stream."""

    text: str
    bytes: int
    dropped: int


class LogsOut(BaseModel):
    """What a run printed."""

    stdout: StreamOut
    stderr: StreamOut

    @classmethod
    def of(cls, logs: RunLogs) -> "LogsOut":
        """The wire shape of logs."""
        return cls(stdout=StreamOut(**asdict(logs.stdout)), stderr=StreamOut(**asdict(logs.stderr)))


class RunSummary(BaseModel):
    """A run in a list."""

    id: str
    kind: str
    tool: ToolRef
    state: str
    outcome: str | None
    message: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, run: Run, tool: Tool) -> "RunSummary":
        """The wire shape of a run in a list."""
        return cls(
            id=str(run.id),
            kind=run.kind,
            tool=ToolRef.of(tool),
            state=run.state,
            outcome=run.outcome,
            message=run.message,
            requested_at=run.requested_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )


class RunDetail(RunSummary):
    """A run with everything its requester may see."""

    context: str
    version_number: int | None
    behaviour_hash: str
    snapshot_id: str | None
    requested_by: str
    queue: QueueOut | None
    progress: dict[str, JsonValue] | None
    input: dict[str, JsonValue]
    outputs: list[dict[str, JsonValue]]
    next_actions: list[dict[str, JsonValue]]
    state_rev: int | None
    artifacts: list[ArtifactOut]
    usage: dict[str, JsonValue]
    isolation: dict[str, str]
    stdout: StreamOut | None = None
    stderr: StreamOut | None = None
    author_detail: str | None = None

    @classmethod
    def seen(cls, seen: SeenRun, urls: Mapping[str, str]) -> "RunDetail":
        """The wire shape of a run; ``urls`` holds the address of each file."""
        run = seen.run
        files: list[JsonValue] = [
            {"field": file.field, "name": file.original_name, "bytes": file.bytes, "sha256": file.sha256}
            for file in run.files
        ]
        logs = LogsOut.of(seen.logs) if seen.logs is not None else None
        return cls(
            **RunSummary.of(run, seen.tool).model_dump(),
            context=run.context,
            version_number=seen.version.version_number if seen.version is not None else None,
            behaviour_hash=run.behaviour_hash,
            snapshot_id=str(run.snapshot_id) if run.snapshot_id is not None else None,
            requested_by=run.requested_by,
            queue=QueueOut.of(seen.waiting) if seen.waiting is not None else None,
            progress=dict(seen.progress.data) if seen.progress is not None else None,
            input={"files": files, "values": dict(run.values)},
            outputs=list(run.outputs),
            next_actions=list(run.next_actions),
            state_rev=seen.state_rev,
            artifacts=[
                ArtifactOut.of(artifact, urls[artifact.artifact_id], seen.files_expire_at)
                for artifact in seen.artifacts
            ],
            usage=asdict(run.usage),
            isolation=dict(run.isolation),
            stdout=logs.stdout if logs is not None else None,
            stderr=logs.stderr if logs is not None else None,
            author_detail=run.author_detail if logs is not None else None,
        )


class RunList(BaseModel):
    """Runs, newest first; ``next_cursor`` leads to the older ones."""

    items: list[RunSummary]
    next_cursor: str | None

    @classmethod
    def of(cls, rows: Sequence[tuple[Run, Tool]], more: bool) -> "RunList":
        """A page of runs."""
        items = [RunSummary.of(run, tool) for run, tool in rows]
        return cls(items=items, next_cursor=items[-1].id if more and items else None)


class JsonSubmission(BaseModel):
    """A submission without files."""

    model_config = {"extra": "forbid"}

    inputs: dict[str, JsonValue] = {}
    session_files: SessionFiles = SessionFiles.NONE
