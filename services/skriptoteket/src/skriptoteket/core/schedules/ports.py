"""ScheduleStore, and whoever knows what an owner may still do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from skriptoteket.core.runs.ports.neighbours import RunSchedules
from skriptoteket.core.runs.ports.unit import RunUnit
from skriptoteket.core.schedules.models import Occurrence, Schedule


class ScheduleStore(RunSchedules, Protocol):
    """Keeps schedules and what their due times came to. No method ends a transaction."""

    async def add(self, schedule: Schedule) -> None: ...

    async def get(self, schedule_id: UUID) -> Schedule:
        """Raises ``NotFound``."""
        ...

    async def lock(self, schedule_id: UUID) -> Schedule:
        """The schedule, with its row locked until the transaction ends. Raises ``NotFound``."""
        ...

    async def update(self, schedule: Schedule) -> None:
        """Raises ``NotFound``."""
        ...

    async def remove(self, schedule_id: UUID) -> None:
        """The schedule and its history; idempotent."""
        ...

    async def of(self, owner: str) -> Sequence[Schedule]:
        """Somebody's schedules, oldest first."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Schedule]:
        """Those that are due, longest overdue first."""
        ...

    async def uncounted(self, limit: int) -> Sequence[Schedule]:
        """Those with a run whose end was not counted yet."""
        ...

    async def note(self, occurrence: Occurrence) -> bool:
        """Keep what a due time came to; ``False`` when that is known already."""
        ...

    async def history(self, schedule_id: UUID, limit: int) -> Sequence[Occurrence]:
        """Newest first."""
        ...


class ScheduleUnit(RunUnit, Protocol):
    """One transaction as the verbs of schedules see it."""

    @property
    def schedules(self) -> ScheduleStore: ...


class OwnerRights(Protocol):
    """Asks anew whether somebody may let tools run."""

    async def may_schedule(self, subject: str) -> bool: ...
