"""Curate, suggest, look after: wire shapes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from skriptoteket.core.catalog.curation import ToolTexts
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.governance.stewardship.models import StewardshipRecord
from skriptoteket.core.governance.suggestions.models import Idea, Suggestion, SuggestionDecision
from skriptoteket.core.runs.observing.reliability import WINDOW, Record


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ToolRecordOut(BaseModel):
    """How runs of a tool ended in the last days: ``failed`` because of the tool; ``failure_rate`` is from 0 to 1."""

    days: int
    runs: int
    failed: int
    failure_rate: float | None

    @classmethod
    def of(cls, record: Record) -> "ToolRecordOut":
        """The wire shape of a record."""
        return cls(days=WINDOW.days, runs=record.runs, failed=record.failed, failure_rate=record.failure_rate)


class AdminToolOut(BaseModel):
    """A tool as curators see it."""

    id: str
    slug: str
    title: str
    summary: str
    title_sv: str
    summary_sv: str
    owner: str
    professions: list[str]
    categories: list[str]
    is_visible: bool
    first_shown_at: datetime | None
    active_version_id: str | None
    draft_head_version_id: str | None
    max_parallel: int | None
    updated_at: datetime
    record: ToolRecordOut | None = None

    @classmethod
    def of(cls, tool: Tool, record: Record | None = None) -> "AdminToolOut":
        """The wire shape of a tool; lists say how it does."""
        ids = ("id", "active_version_id", "draft_head_version_id")
        given = {name: getattr(tool, name) for name in cls.model_fields if name not in (*ids, "record")}
        named = {name: str(getattr(tool, name)) if getattr(tool, name) is not None else None for name in ids}
        shown = ToolRecordOut.of(record) if record is not None else None
        tags = {"professions": list(tool.professions), "categories": list(tool.categories)}
        return cls.model_validate({**given, **named, **tags, "record": shown})


class TextsIn(_Strict):
    """What a curator writes; absent fields stay."""

    slug: str | None = None
    title: str | None = None
    summary: str | None = None
    title_sv: str | None = None
    summary_sv: str | None = None
    professions: list[str] | None = None
    categories: list[str] | None = None
    max_parallel: int | None = None

    def texts(self) -> ToolTexts:
        """As the domain takes it."""
        given = self.model_dump(exclude={"professions", "categories"})
        professions = tuple(self.professions) if self.professions is not None else None
        categories = tuple(self.categories) if self.categories is not None else None
        return ToolTexts(**given, professions=professions, categories=categories)


class IdeaIn(_Strict):
    """What a tool is wanted for."""

    title: str
    description: str
    professions: list[str]
    categories: list[str]

    def idea(self) -> Idea:
        """As the domain takes it."""
        return Idea(self.title, self.description, tuple(self.professions), tuple(self.categories))


class VerdictIn(_Strict):
    """A decision on a suggestion; texts and tags replace the suggester's where they are given."""

    verdict: str
    rationale: str
    title: str | None = None
    description: str | None = None
    professions: list[str] | None = None
    categories: list[str] | None = None

    def idea(self, before: Idea) -> Idea:
        """The idea as it is decided."""
        return Idea(
            before.title if self.title is None else self.title,
            before.description if self.description is None else self.description,
            before.professions if self.professions is None else tuple(self.professions),
            before.categories if self.categories is None else tuple(self.categories),
        )


class SuggestionOut(BaseModel):
    """A suggestion with what became of it."""

    id: str
    title: str
    description: str
    professions: list[str]
    categories: list[str]
    status: str
    suggested_by: str
    created_at: datetime
    draft_tool_id: str | None
    rationale: str | None = None

    @classmethod
    def of(cls, found: Suggestion, decision: SuggestionDecision | None = None) -> "SuggestionOut":
        """The wire shape of a suggestion."""
        return cls(
            id=str(found.id),
            title=found.idea.title,
            description=found.idea.description,
            professions=list(found.idea.professions),
            categories=list(found.idea.categories),
            status=found.status,
            suggested_by=found.suggested_by,
            created_at=found.created_at,
            draft_tool_id=str(found.draft_tool_id) if found.draft_tool_id is not None else None,
            rationale=decision.rationale if decision is not None else None,
        )


class CandidateIn(_Strict):
    """Somebody by URN or e-mail address."""

    subject: str = Field(min_length=3, max_length=320)
    reason: str = ""


class RecordOut(BaseModel):
    """One change of who looks after a tool."""

    action: str
    subject: str
    by: str
    at: datetime
    reason: str

    @classmethod
    def of(cls, record: StewardshipRecord) -> "RecordOut":
        """The wire shape of a record."""
        return cls(action=record.action, subject=record.subject, by=record.by, at=record.at, reason=record.reason)


class StewardsOut(BaseModel):
    """Who looks after a tool."""

    owner: str
    maintainers: list[str]
    records: list[RecordOut]
