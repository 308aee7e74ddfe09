"""ScheduleStore on SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import Row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import schedule_occurrences, schedules
from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import InputFile
from skriptoteket.core.schedules.models import Occurrence, OccurrenceStatus, Pause, Schedule


class SqlScheduleStore:
    """Schedules; the key of an occurrence lets a due time be handled once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, schedule: Schedule) -> None:
        """Insert."""
        await self._session.execute(insert(schedules).values(_row(schedule)))

    async def get(self, schedule_id: UUID) -> Schedule:
        """Raises ``NotFound``."""
        return await self._one(schedule_id, lock=False)

    async def lock(self, schedule_id: UUID) -> Schedule:
        """With the row locked. Raises ``NotFound``."""
        return await self._one(schedule_id, lock=True)

    async def update(self, schedule: Schedule) -> None:
        """Raises ``NotFound``."""
        statement = update(schedules).where(schedules.c.id == schedule.id).values(_row(schedule))
        if await rows_changed(self._session, statement) == 0:
            raise NotFound("schedule", schedule.id)

    async def remove(self, schedule_id: UUID) -> None:
        """With its history."""
        of = schedule_occurrences.c.schedule_id
        await self._session.execute(delete(schedule_occurrences).where(of == schedule_id))
        await self._session.execute(delete(schedules).where(schedules.c.id == schedule_id))

    async def of(self, owner: str) -> Sequence[Schedule]:
        """Oldest first."""
        return await self._many(select(schedules).where(schedules.c.owner == owner).order_by(schedules.c.id))

    async def due(self, now: datetime, limit: int) -> Sequence[Schedule]:
        """Longest overdue first."""
        query = select(schedules).where(schedules.c.next_due_at <= now)
        return await self._many(query.order_by(schedules.c.next_due_at, schedules.c.id).limit(limit))

    async def uncounted(self, limit: int) -> Sequence[Schedule]:
        """With a run whose end was not counted."""
        query = select(schedules).where(schedules.c.pending_run_id.is_not(None))
        return await self._many(query.order_by(schedules.c.id).limit(limit))

    async def note(self, occurrence: Occurrence) -> bool:
        """Insert, unless this due time is there."""
        row = asdict(occurrence)
        row["handled_at"] = row.pop("at")
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(schedule_occurrences).values(row))
        except IntegrityError:
            return False
        return True

    async def history(self, schedule_id: UUID, limit: int) -> Sequence[Occurrence]:
        """Newest first."""
        of = schedule_occurrences.c
        query = select(schedule_occurrences).where(of.schedule_id == schedule_id).order_by(of.due_at.desc())
        return [_occurrence_of(row) for row in (await self._session.execute(query.limit(limit))).mappings()]

    async def forget_history(self, before: datetime) -> int:
        """What is older."""
        old = delete(schedule_occurrences).where(schedule_occurrences.c.due_at < before)
        return await rows_changed(self._session, old)

    async def known(self, schedule_id: UUID) -> bool:
        """Whether there is such a row."""
        found = await self._session.execute(select(schedules.c.id).where(schedules.c.id == schedule_id))
        return found.first() is not None

    async def forget(self, subject: str) -> int:
        """Every schedule of somebody."""
        found = await self.of(subject)
        for each in found:
            await self.remove(each.id)
        return len(found)

    async def _one(self, schedule_id: UUID, *, lock: bool) -> Schedule:
        query = select(schedules).where(schedules.c.id == schedule_id)
        found = await self._many(query.with_for_update() if lock else query)
        if not found:
            raise NotFound("schedule", schedule_id)
        return found[0]

    async def _many(self, query: Select[tuple[object, ...]]) -> list[Schedule]:
        return [_schedule_of(row) for row in (await self._session.execute(query)).mappings()]


def _row(schedule: Schedule) -> dict[str, object]:
    row = {name: getattr(schedule, name) for name in Schedule.__dataclass_fields__}
    row["input_values"] = dict(row.pop("values"))
    row["files"] = [asdict(file) for file in schedule.files]
    return {**row, "problems": list(schedule.problems)}


def _schedule_of(row: Row) -> Schedule:
    given = {name: row[{"values": "input_values"}.get(name, name)] for name in Schedule.__dataclass_fields__}
    given["files"] = tuple(InputFile(**file) for file in given["files"])
    given["pause"] = Pause(given["pause"])
    given["problems"] = tuple(given["problems"])
    return Schedule(**given)


def _occurrence_of(row: Row) -> Occurrence:
    run_id = RunId(row["run_id"]) if row["run_id"] is not None else None
    status = OccurrenceStatus(row["status"])
    return Occurrence(row["schedule_id"], row["due_at"], status, row["handled_at"], run_id, row["detail"])
