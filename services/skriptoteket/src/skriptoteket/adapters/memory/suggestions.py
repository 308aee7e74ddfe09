"""SuggestionStore and StewardshipStore in dictionaries."""

from collections.abc import Sequence
from uuid import UUID

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import NotFound
from skriptoteket.core.governance.stewardship.models import StewardshipRecord
from skriptoteket.core.governance.suggestions.models import Suggestion, SuggestionDecision, SuggestionStatus
from skriptoteket.core.identifiers import ToolId


class MemorySuggestionStore:
    """Ideas and their verdicts."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, suggestion: Suggestion) -> None:
        """Insert."""
        self._state.suggestions[suggestion.id] = suggestion

    async def get(self, suggestion_id: UUID) -> Suggestion:
        """Raises ``NotFound``."""
        if suggestion_id not in self._state.suggestions:
            raise NotFound("suggestion", suggestion_id)
        return self._state.suggestions[suggestion_id]

    async def lock(self, suggestion_id: UUID) -> Suggestion:
        """The unit of work admits one writer at a time, so reading is enough."""
        return await self.get(suggestion_id)

    async def update(self, suggestion: Suggestion) -> None:
        """Raises ``NotFound``."""
        await self.get(suggestion.id)
        self._state.suggestions[suggestion.id] = suggestion

    async def all(self, status: SuggestionStatus | None = None, by: str | None = None) -> Sequence[Suggestion]:
        """Newest first."""
        found = [
            each
            for each in self._state.suggestions.values()
            if (status is None or each.status is status) and (by is None or each.suggested_by == by)
        ]
        return sorted(found, key=lambda each: each.id, reverse=True)

    async def add_decision(self, decision: SuggestionDecision) -> None:
        """Append."""
        self._state.suggestion_decisions[decision.suggestion_id] = decision

    async def decision(self, suggestion_id: UUID) -> SuggestionDecision | None:
        """The verdict, if there is one."""
        return self._state.suggestion_decisions.get(suggestion_id)


class MemoryStewardshipStore:
    """Change records."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, record: StewardshipRecord) -> None:
        """Append."""
        self._state.stewardship[record.id] = record

    async def of_tool(self, tool_id: ToolId) -> Sequence[StewardshipRecord]:
        """Oldest first."""
        return [each for each in self._state.stewardship.values() if each.tool_id == tool_id]
