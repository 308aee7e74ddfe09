"""What environments need from outside: the record of decisions, and what lies on the disk."""

from collections.abc import Sequence
from typing import Protocol

from skriptoteket.core.governance.environments.models import BuiltEnvironment, EnvironmentDecision


class EnvironmentStore(Protocol):
    """Decisions, append-only. No method ends a transaction."""

    async def add(self, decision: EnvironmentDecision) -> None: ...

    async def decisions(self) -> Sequence[EnvironmentDecision]:
        """Oldest first."""
        ...


class EnvironmentUnit(Protocol):
    """One transaction as the verbs of environments see it."""

    @property
    def environments(self) -> EnvironmentStore: ...


class EnvironmentShelf(Protocol):
    """The environments that this host has."""

    async def built(self) -> Sequence[BuiltEnvironment]: ...
