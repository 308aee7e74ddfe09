"""SuggestionStore: ideas and their verdicts."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from skriptoteket.core.catalog.ports import TaxonomyStore, ToolStore
from skriptoteket.core.governance.suggestions.models import Suggestion, SuggestionDecision, SuggestionStatus


class SuggestionStore(Protocol):
    """Keeps suggestions. No method ends a transaction."""

    async def add(self, suggestion: Suggestion) -> None: ...

    async def get(self, suggestion_id: UUID) -> Suggestion:
        """Raises ``NotFound``."""
        ...

    async def lock(self, suggestion_id: UUID) -> Suggestion:
        """The suggestion, with its row locked until the transaction ends. Raises ``NotFound``."""
        ...

    async def update(self, suggestion: Suggestion) -> None:
        """Raises ``NotFound``."""
        ...

    async def all(self, status: SuggestionStatus | None = None, by: str | None = None) -> Sequence[Suggestion]:
        """Newest first."""
        ...

    async def add_decision(self, decision: SuggestionDecision) -> None: ...

    async def decision(self, suggestion_id: UUID) -> SuggestionDecision | None: ...


class SuggestionUnit(Protocol):
    """One transaction as the verbs of suggestions see it."""

    @property
    def suggestions(self) -> SuggestionStore: ...

    @property
    def tools(self) -> ToolStore: ...

    @property
    def taxonomy(self) -> TaxonomyStore: ...
