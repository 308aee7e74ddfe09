"""NominationStore in dictionaries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import NotFound
from skriptoteket.core.governance.nominations.models import GrantState, Nomination, NominationDecision, NominationStatus


class MemoryNominationStore:
    """Nominations and their decisions."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, nomination: Nomination) -> bool:
        """Insert, unless another one of this nominee is pending."""
        if nomination.status is NominationStatus.PENDING and any(
            each.nominee == nomination.nominee and each.status is NominationStatus.PENDING
            for each in self._state.nominations.values()
        ):
            return False
        self._state.nominations[nomination.id] = nomination
        return True

    async def lock(self, nomination_id: UUID) -> Nomination:
        """The unit of work admits one writer at a time, so reading is enough."""
        if nomination_id not in self._state.nominations:
            raise NotFound("nomination", nomination_id)
        return self._state.nominations[nomination_id]

    async def update(self, nomination: Nomination) -> None:
        """Raises ``NotFound``."""
        await self.lock(nomination.id)
        self._state.nominations[nomination.id] = nomination

    async def all(self) -> Sequence[tuple[Nomination, NominationDecision | None]]:
        """Newest first."""
        newest = sorted(self._state.nominations.values(), key=lambda each: each.id, reverse=True)
        return [(each, self._state.nomination_decisions.get(each.id)) for each in newest]

    async def add_decision(self, decision: NominationDecision) -> None:
        """Append."""
        self._state.nomination_decisions[decision.nomination_id] = decision

    async def update_decision(self, decision: NominationDecision) -> None:
        """The state of the grant. Raises ``NotFound``."""
        if decision.nomination_id not in self._state.nomination_decisions:
            raise NotFound("decision", decision.nomination_id)
        self._state.nomination_decisions[decision.nomination_id] = decision

    async def ungranted(self) -> Sequence[tuple[Nomination, NominationDecision]]:
        """Oldest first."""
        found = [(one, decision) for one, decision in await self.all() if decision is not None]
        return [pair for pair in reversed(found) if pair[1].grant_state is GrantState.PENDING]

    async def expire(self, before: datetime) -> int:
        """Pending ones that were filed earlier."""
        old = [
            each
            for each in self._state.nominations.values()
            if each.status is NominationStatus.PENDING and each.created_at < before
        ]
        for each in old:
            self._state.nominations[each.id] = replace(each, status=NominationStatus.EXPIRED)
        return len(old)
