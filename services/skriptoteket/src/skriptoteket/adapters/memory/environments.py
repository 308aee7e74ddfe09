"""EnvironmentStore in memory."""

from collections.abc import Sequence

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.governance.environments.models import EnvironmentDecision


class MemoryEnvironmentStore:
    """Decisions about environments."""

    def __init__(self, state: State) -> None:
        self._kept = state.environment_decisions

    async def add(self, decision: EnvironmentDecision) -> None:
        """Append."""
        self._kept[decision.id] = decision

    async def decisions(self) -> Sequence[EnvironmentDecision]:
        """Oldest first."""
        return [self._kept[key] for key in sorted(self._kept)]
