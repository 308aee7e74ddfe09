"""Suggestion and its decision."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from skriptoteket.core.identifiers import ToolId


class SuggestionStatus(StrEnum):
    """Where a suggestion is."""

    PENDING = "pending_review"
    ACCEPTED = "accepted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Idea:
    """What somebody wants a tool for."""

    title: str
    description: str
    professions: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An idea with who had it and what became of it."""

    id: UUID
    idea: Idea
    status: SuggestionStatus
    suggested_by: str
    created_at: datetime
    draft_tool_id: ToolId | None = None


@dataclass(frozen=True, slots=True)
class SuggestionDecision:
    """The one verdict on a suggestion, with the texts as they were decided; append-only."""

    suggestion_id: UUID
    verdict: SuggestionStatus
    rationale: str
    idea: Idea
    by: str
    at: datetime
