"""NominationStore, and the platform's roles as this noun needs them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from skriptoteket.core.governance.nominations.models import Nomination, NominationDecision


class CannotGrant(Exception):
    """The platform did not give or take the right; the text says why, for whoever operates it."""


class Roles(Protocol):
    """Gives and takes the administrator bundle. Raises ``CannotGrant``."""

    async def appoint(self, subject: str, *, by: str, reason: str) -> None: ...

    async def revoke(self, subject: str, *, by: str, reason: str) -> None: ...


class NominationStore(Protocol):
    """Keeps nominations. No method ends a transaction."""

    async def add(self, nomination: Nomination) -> bool:
        """Insert; ``False`` when another one of this nominee is pending."""
        ...

    async def lock(self, nomination_id: UUID) -> Nomination:
        """The nomination, with its row locked until the transaction ends. Raises ``NotFound``."""
        ...

    async def update(self, nomination: Nomination) -> None:
        """Raises ``NotFound``."""
        ...

    async def all(self) -> Sequence[tuple[Nomination, NominationDecision | None]]:
        """Newest first."""
        ...

    async def add_decision(self, decision: NominationDecision) -> None: ...

    async def update_decision(self, decision: NominationDecision) -> None:
        """The state of the grant. Raises ``NotFound``."""
        ...

    async def ungranted(self) -> Sequence[tuple[Nomination, NominationDecision]]:
        """Decided, and the right not given or taken yet; oldest first."""
        ...

    async def expire(self, before: datetime) -> int:
        """End pending ones that were filed earlier; how many."""
        ...


class NominationUnit(Protocol):
    """One transaction as the verbs of nominations see it."""

    @property
    def nominations(self) -> NominationStore: ...
