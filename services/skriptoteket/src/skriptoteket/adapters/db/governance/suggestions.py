"""SuggestionStore on SQL."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import Row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import suggestion_decisions, suggestions
from skriptoteket.core.errors import NotFound
from skriptoteket.core.governance.suggestions.models import Idea, Suggestion, SuggestionDecision, SuggestionStatus


class SqlSuggestionStore:
    """Ideas and their verdicts."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, suggestion: Suggestion) -> None:
        """Insert."""
        await self._session.execute(insert(suggestions).values(_suggestion_row(suggestion)))

    async def get(self, suggestion_id: UUID) -> Suggestion:
        """Raises ``NotFound``."""
        return await self._one(suggestion_id, locked=False)

    async def lock(self, suggestion_id: UUID) -> Suggestion:
        """With the row locked. Raises ``NotFound``."""
        return await self._one(suggestion_id, locked=True)

    async def update(self, suggestion: Suggestion) -> None:
        """Raises ``NotFound``."""
        statement = update(suggestions).where(suggestions.c.id == suggestion.id).values(_suggestion_row(suggestion))
        if await rows_changed(self._session, statement) == 0:
            raise NotFound("suggestion", suggestion.id)

    async def all(self, status: SuggestionStatus | None = None, by: str | None = None) -> Sequence[Suggestion]:
        """Newest first."""
        query = select(suggestions).order_by(suggestions.c.id.desc())
        if status is not None:
            query = query.where(suggestions.c.status == status)
        if by is not None:
            query = query.where(suggestions.c.suggested_by == by)
        return [_suggestion_of(row) for row in (await self._session.execute(query)).mappings()]

    async def add_decision(self, decision: SuggestionDecision) -> None:
        """Append."""
        row = {
            "suggestion_id": decision.suggestion_id,
            "verdict": decision.verdict,
            "rationale": decision.rationale,
            "decided_by": decision.by,
            "decided_at": decision.at,
            **_idea_row(decision.idea),
        }
        await self._session.execute(insert(suggestion_decisions).values(row))

    async def decision(self, suggestion_id: UUID) -> SuggestionDecision | None:
        """The verdict, if there is one."""
        query = select(suggestion_decisions).where(suggestion_decisions.c.suggestion_id == suggestion_id)
        row = (await self._session.execute(query)).mappings().first()
        if row is None:
            return None
        verdict = SuggestionStatus(row["verdict"])
        return SuggestionDecision(
            suggestion_id, verdict, row["rationale"], _idea_of(row), row["decided_by"], row["decided_at"]
        )

    async def _one(self, suggestion_id: UUID, *, locked: bool) -> Suggestion:
        query = select(suggestions).where(suggestions.c.id == suggestion_id)
        row = (await self._session.execute(query.with_for_update() if locked else query)).mappings().first()
        if row is None:
            raise NotFound("suggestion", suggestion_id)
        return _suggestion_of(row)


def _idea_row(idea: Idea) -> dict[str, object]:
    return {
        "title": idea.title,
        "description": idea.description,
        "professions": list(idea.professions),
        "categories": list(idea.categories),
    }


def _idea_of(row: Row) -> Idea:
    return Idea(row["title"], row["description"], tuple(row["professions"]), tuple(row["categories"]))


def _suggestion_row(suggestion: Suggestion) -> dict[str, object]:
    return {
        "id": suggestion.id,
        "status": suggestion.status,
        "suggested_by": suggestion.suggested_by,
        "created_at": suggestion.created_at,
        "draft_tool_id": suggestion.draft_tool_id,
        **_idea_row(suggestion.idea),
    }


def _suggestion_of(row: Row) -> Suggestion:
    status = SuggestionStatus(row["status"])
    return Suggestion(row["id"], _idea_of(row), status, row["suggested_by"], row["created_at"], row["draft_tool_id"])
