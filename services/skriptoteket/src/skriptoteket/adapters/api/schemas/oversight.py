"""Other people's runs: wire shapes."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from skriptoteket.adapters.api.schemas.runs import RunSummary
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.sight import RunAccess


class AccessIn(BaseModel):
    """Why somebody's run is opened; the person reads it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=500)


class AccessOut(BaseModel):
    """Who opened a run, why, and until when."""

    by: str
    at: datetime
    until: datetime
    reason: str

    @classmethod
    def of(cls, found: RunAccess) -> "AccessOut":
        """The wire shape of an access."""
        return cls(by=found.by, at=found.at, until=found.until, reason=found.reason)


class ForeignRun(RunSummary):
    """A run in the list of all; the message of a refused input stays with its requester."""

    requested_by: str

    @classmethod
    def of_all(cls, run: Run, tool: Tool) -> "ForeignRun":
        """The wire shape of a row."""
        shown = {**RunSummary.of(run, tool).model_dump(), "message": ""}
        return cls(**shown, requested_by=run.requested_by)


class ForeignList(BaseModel):
    """Runs, newest first; ``next_cursor`` leads to the older ones."""

    items: list[ForeignRun]
    next_cursor: str | None

    @classmethod
    def of(cls, rows: Sequence[tuple[Run, Tool]], more: bool) -> "ForeignList":
        """A page of them."""
        items = [ForeignRun.of_all(run, tool) for run, tool in rows]
        return cls(items=items, next_cursor=items[-1].id if more and items else None)
