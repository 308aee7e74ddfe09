"""Schedules: wire shapes."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from skriptoteket.adapters.api.schemas.runs import ToolRef
from skriptoteket.core.schedules.models import Occurrence
from skriptoteket.core.schedules.planning import SeenSchedule, Times


class TimesIn(BaseModel):
    """When: a five-field cron expression on the clock of a zone, until an end or for a number of runs."""

    model_config = ConfigDict(extra="forbid")

    cron: str = Field(max_length=200)
    timezone: str | None = Field(None, max_length=64)
    ends_at: AwareDatetime | None = None
    max_runs: int | None = Field(None, ge=1, le=1_000_000)

    def times(self, default_zone: str) -> Times:
        """As the domain has them."""
        return Times(self.cron, self.timezone or default_zone, self.ends_at, self.max_runs)


class ScheduleIn(TimesIn):
    """A schedule without files; one with files is sent as a form with the same fields."""

    tool: str = Field(max_length=128)
    inputs: dict[str, JsonValue] = {}


class ScheduleChange(TimesIn):
    """Other times; other values too if ``inputs`` is there. Files stay."""

    inputs: dict[str, JsonValue] | None = None


class OccurrenceOut(BaseModel):
    """What a due time came to: ``started``, ``skipped`` or ``paused``."""

    due_at: datetime
    status: str
    at: datetime
    run_id: str | None
    detail: str

    @classmethod
    def of(cls, found: Occurrence) -> "OccurrenceOut":
        """The wire shape of an occurrence."""
        run_id = str(found.run_id) if found.run_id is not None else None
        return cls(due_at=found.due_at, status=found.status, at=found.at, run_id=run_id, detail=found.detail)


class ScheduleOut(BaseModel):
    """A schedule; ``pause`` says why it does not fire: owner, not_allowed, not_runnable, input, failures, over."""

    id: str
    tool: ToolRef
    cron: str
    timezone: str
    ends_at: datetime | None
    max_runs: int | None
    runs_started: int
    enabled: bool
    pause: str
    problems: list[str]
    consecutive_failures: int
    next_due_at: datetime | None
    next_times: list[datetime]
    input: dict[str, JsonValue]
    history: list[OccurrenceOut]
    created_at: datetime

    @classmethod
    def of(cls, seen: SeenSchedule) -> "ScheduleOut":
        """The wire shape of a schedule."""
        found = seen.schedule
        files: list[JsonValue] = [
            {"field": file.field, "name": file.original_name, "bytes": file.bytes, "sha256": file.sha256}
            for file in found.files
        ]
        return cls(
            id=str(found.id),
            tool=ToolRef.of(seen.tool),
            cron=found.cron,
            timezone=found.timezone,
            ends_at=found.ends_at,
            max_runs=found.max_runs,
            runs_started=found.runs_started,
            enabled=found.enabled,
            pause=found.pause,
            problems=list(found.problems),
            consecutive_failures=found.consecutive_failures,
            next_due_at=found.next_due_at,
            next_times=list(seen.next_times),
            input={"files": files, "values": dict(found.values)},
            history=[OccurrenceOut.of(each) for each in seen.history],
            created_at=found.created_at,
        )
