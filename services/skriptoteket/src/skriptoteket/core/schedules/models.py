"""A schedule: which tool runs with what, when, for whom, and what came of each due time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from skriptoteket.core.identifiers import RunId, ToolId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import InputFile

MOST_PER_OWNER = 20
FAILURES_THAT_PAUSE = 3


class Pause(StrEnum):
    """Why a schedule does not fire; empty while it does."""

    NONE = ""
    OWNER = "owner"
    NOT_ALLOWED = "not_allowed"
    NOT_RUNNABLE = "not_runnable"
    INPUT = "input"
    FAILURES = "failures"
    OVER = "over"


class OccurrenceStatus(StrEnum):
    """What a due time came to."""

    STARTED = "started"
    SKIPPED = "skipped"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Schedule:
    """``next_due_at`` is ``None`` while it is paused. ``pending_run_id`` is a run whose end was not counted yet;
    ``problems`` are sentences about why it was paused."""

    id: UUID
    tool_id: ToolId
    owner: str
    cron: str
    timezone: str
    created_at: datetime
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    files: tuple[InputFile, ...] = ()
    locale: str = "en"
    ends_at: datetime | None = None
    max_runs: int | None = None
    runs_started: int = 0
    next_due_at: datetime | None = None
    consecutive_failures: int = 0
    pending_run_id: RunId | None = None
    pause: Pause = Pause.NONE
    problems: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether it fires."""
        return self.pause is Pause.NONE


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One due time, handled once by whichever process was first."""

    schedule_id: UUID
    due_at: datetime
    status: OccurrenceStatus
    at: datetime
    run_id: RunId | None = None
    detail: str = ""
