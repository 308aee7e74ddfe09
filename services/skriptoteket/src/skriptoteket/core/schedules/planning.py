"""Make, look at, change, pause, resume and remove a schedule."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import Conflict, FieldIssue, NotFound, ValidationFailed
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.inputs import Upload
from skriptoteket.core.runs.submission import accepted_input, input_files, runnable_tool
from skriptoteket.core.schedules.models import MOST_PER_OWNER, Occurrence, Pause, Schedule
from skriptoteket.core.schedules.ports import ScheduleUnit
from skriptoteket.core.schedules.timing import due_times, next_due, timing_issues

_SHOWN = 5
_HISTORY = 20


@dataclass(frozen=True, slots=True)
class Times:
    """When a schedule fires, and when that ends."""

    cron: str
    timezone: str
    ends_at: datetime | None = None
    max_runs: int | None = None


@dataclass(frozen=True, slots=True)
class WantedSchedule:
    """What somebody wants to be run at set times. ``id`` exists before the row does: files are stored under it."""

    id: UUID
    tool_slug: str
    owner: str
    times: Times
    values: Mapping[str, object] = field(default_factory=dict)
    uploads: Sequence[Upload] = ()
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class SeenSchedule:
    """A schedule with its tool, the next times and what the last ones came to."""

    schedule: Schedule
    tool: Tool
    next_times: Sequence[datetime]
    history: Sequence[Occurrence]


class Planning:
    """The verbs of an owner. Somebody else's schedules do not exist for a caller. Lives as long as the app."""

    def __init__(self, work: UnitOfWork[ScheduleUnit], clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def make(self, wanted: WantedSchedule) -> Schedule:
        """Keep a schedule.

        Raises:
            NotFound: the tool cannot be run.
            ValidationFailed: times, values or files are wrong, or it is the owner's twenty-first.
        """
        now = self._clock.now()
        async with self._work.write() as unit:
            tool, version = await runnable_tool(unit, wanted.tool_slug)
            issues = list(self._issues(wanted.times))
            if len(await unit.schedules.of(wanted.owner)) >= MOST_PER_OWNER:
                text = f"you have {MOST_PER_OWNER} schedules, which is the most; remove one first"
                issues.append(FieldIssue("schedules", "too_many", text))
            values = accepted_input(version.behaviour, wanted.values, wanted.uploads, issues)
            times = wanted.times
            made = Schedule(
                id=wanted.id,
                tool_id=tool.id,
                owner=wanted.owner,
                cron=" ".join(times.cron.split()),
                timezone=times.timezone,
                created_at=now,
                values=values,
                files=input_files(wanted.uploads),
                locale=wanted.locale,
                ends_at=times.ends_at,
                max_runs=times.max_runs,
                next_due_at=next_due(times.cron, times.timezone, now),
            )
            await unit.schedules.add(made)
            return made

    async def mine(self, owner: str) -> list[SeenSchedule]:
        """One's schedules, newest first."""
        async with self._work.read() as unit:
            found = await unit.schedules.of(owner)
            return [await self._seen(unit, each, 1) for each in reversed(found)]

    async def see(self, schedule_id: UUID, owner: str) -> SeenSchedule:
        """One of them. Raises ``NotFound``."""
        async with self._work.read() as unit:
            return await self._seen(unit, await _own(unit, schedule_id, owner, lock=False), _HISTORY)

    async def change(
        self, schedule_id: UUID, owner: str, times: Times, values: Mapping[str, object] | None = None
    ) -> Schedule:
        """Other times, and other values when they are given; the files stay.

        Raises:
            NotFound, ValidationFailed.
        """
        async with self._work.write() as unit:
            found = await _own(unit, schedule_id, owner)
            issues = list(self._issues(times))
            kept = dict(found.values)
            if values is not None:
                tool = await unit.tools.get(found.tool_id)
                _, version = await runnable_tool(unit, tool.slug)
                kept = accepted_input(version.behaviour, values, stored_uploads(found), issues, stored=True)
            if issues:
                raise ValidationFailed(issues)
            moved = replace(
                found,
                cron=" ".join(times.cron.split()),
                timezone=times.timezone,
                ends_at=times.ends_at,
                max_runs=times.max_runs,
                values=kept,
            )
            due = next_due(moved.cron, moved.timezone, self._clock.now()) if moved.enabled else None
            moved = replace(moved, next_due_at=due)
            await unit.schedules.update(moved)
            return moved

    async def pause(self, schedule_id: UUID, owner: str) -> Schedule:
        """Stop firing; idempotent. Raises ``NotFound``."""
        async with self._work.write() as unit:
            found = await _own(unit, schedule_id, owner)
            if found.enabled:
                found = replace(found, pause=Pause.OWNER, next_due_at=None)
                await unit.schedules.update(found)
            return found

    async def resume(self, schedule_id: UUID, owner: str) -> Schedule:
        """Fire again from the next due time on, with a clean record; idempotent.

        Raises:
            NotFound.
            Conflict: ``wrong_state``: its end is reached.
        """
        now = self._clock.now()
        async with self._work.write() as unit:
            found = await _own(unit, schedule_id, owner)
            if found.enabled:
                return found
            due = next_due(found.cron, found.timezone, now)
            if is_over(found, due):
                text = "This schedule has reached its end. Give it a later end or more runs first."
                raise Conflict("wrong_state", text, {"pause": found.pause})
            resumed = replace(found, pause=Pause.NONE, problems=(), consecutive_failures=0, next_due_at=due)
            await unit.schedules.update(resumed)
            return resumed

    async def remove(self, schedule_id: UUID, owner: str) -> Schedule:
        """Forget it; its runs stay. The caller deletes the files of what is answered. Raises ``NotFound``."""
        async with self._work.write() as unit:
            found = await _own(unit, schedule_id, owner)
            await unit.schedules.remove(schedule_id)
            return found

    def _issues(self, times: Times) -> tuple[FieldIssue, ...]:
        issues = timing_issues(times.cron, times.timezone)
        if times.ends_at is not None and times.ends_at <= self._clock.now():
            issues = (*issues, FieldIssue("ends_at", "past", "must lie in the future"))
        if times.max_runs is not None and times.max_runs < 1:
            issues = (*issues, FieldIssue("max_runs", "min", "must be at least 1"))
        return issues

    async def _seen(self, unit: ScheduleUnit, found: Schedule, most: int) -> SeenSchedule:
        after = self._clock.now()
        times = itertools.islice(due_times(found.cron, found.timezone, after), _SHOWN)
        shown = [at for at in times if not is_over(found, at)] if found.enabled else []
        return SeenSchedule(
            found, await unit.tools.get(found.tool_id), shown, await unit.schedules.history(found.id, most)
        )


def is_over(schedule: Schedule, due: datetime | None) -> bool:
    """Whether nothing is due any more: the end is passed, or every run was started."""
    return (
        due is None
        or (schedule.ends_at is not None and due > schedule.ends_at)
        or (schedule.max_runs is not None and schedule.runs_started >= schedule.max_runs)
    )


def stored_uploads(schedule: Schedule) -> list[Upload]:
    """The kept files, as they were uploaded; their content was looked at then."""
    return [
        Upload(file.field, file.original_name, file.bytes, file.sha256, file.blob_key or "", b"")
        for file in schedule.files
    ]


async def _own(unit: ScheduleUnit, schedule_id: UUID, owner: str, *, lock: bool = True) -> Schedule:
    found = await (unit.schedules.lock(schedule_id) if lock else unit.schedules.get(schedule_id))
    if found.owner != owner:
        raise NotFound("schedule", schedule_id)
    return found
