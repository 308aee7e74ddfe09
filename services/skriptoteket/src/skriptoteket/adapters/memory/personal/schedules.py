"""ScheduleStore in dictionaries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import NotFound
from skriptoteket.core.schedules.models import Occurrence, Schedule


class MemoryScheduleStore:
    """Schedules and their occurrences."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, schedule: Schedule) -> None:
        """Insert."""
        self._state.schedules[schedule.id] = schedule

    async def get(self, schedule_id: UUID) -> Schedule:
        """Raises ``NotFound``."""
        if schedule_id not in self._state.schedules:
            raise NotFound("schedule", schedule_id)
        return self._state.schedules[schedule_id]

    async def lock(self, schedule_id: UUID) -> Schedule:
        """The unit of work admits one writer at a time, so reading is enough."""
        return await self.get(schedule_id)

    async def update(self, schedule: Schedule) -> None:
        """Raises ``NotFound``."""
        await self.get(schedule.id)
        self._state.schedules[schedule.id] = schedule

    async def remove(self, schedule_id: UUID) -> None:
        """With its history."""
        self._state.schedules.pop(schedule_id, None)
        for key in [key for key in self._state.occurrences if key[0] == schedule_id]:
            del self._state.occurrences[key]

    async def of(self, owner: str) -> Sequence[Schedule]:
        """Oldest first."""
        found = [each for each in self._state.schedules.values() if each.owner == owner]
        return sorted(found, key=lambda each: each.id)

    async def due(self, now: datetime, limit: int) -> Sequence[Schedule]:
        """Longest overdue first."""
        found = [(each.next_due_at, each.id, each) for each in self._state.schedules.values() if each.next_due_at]
        return [each for at, _, each in sorted(found, key=lambda one: one[:2]) if at <= now][:limit]

    async def uncounted(self, limit: int) -> Sequence[Schedule]:
        """With a run whose end was not counted."""
        return [each for each in self._state.schedules.values() if each.pending_run_id is not None][:limit]

    async def note(self, occurrence: Occurrence) -> bool:
        """Insert, unless this due time is there."""
        key = (occurrence.schedule_id, occurrence.due_at)
        if key in self._state.occurrences:
            return False
        self._state.occurrences[key] = occurrence
        return True

    async def history(self, schedule_id: UUID, limit: int) -> Sequence[Occurrence]:
        """Newest first."""
        found = [each for key, each in self._state.occurrences.items() if key[0] == schedule_id]
        return sorted(found, key=lambda each: each.due_at, reverse=True)[:limit]

    async def forget_history(self, before: datetime) -> int:
        """What is older."""
        old = [key for key in self._state.occurrences if key[1] < before]
        for key in old:
            del self._state.occurrences[key]
        return len(old)

    async def known(self, schedule_id: UUID) -> bool:
        """Whether there is one."""
        return schedule_id in self._state.schedules

    async def forget(self, subject: str) -> int:
        """Every schedule of somebody."""
        found = await self.of(subject)
        for each in found:
            await self.remove(each.id)
        return len(found)
