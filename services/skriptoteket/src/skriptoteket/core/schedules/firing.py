"""Start what is due: every due time once, whichever process is first, and only while its owner may."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import (
    Conflict,
    FieldIssue,
    NotFound,
    QueueFull,
    RunnerUnavailable,
    TooManyRuns,
    ValidationFailed,
)
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.ports import Clock, Ids, UnitOfWork
from skriptoteket.core.preferences.settings import settings_of_a_run
from skriptoteket.core.runs.models import Lane, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.ports.bell import Doorbell
from skriptoteket.core.runs.queueing.admission import AdmissionRules, ensure_room
from skriptoteket.core.runs.submission import accepted_input, runnable_version
from skriptoteket.core.schedules.models import FAILURES_THAT_PAUSE, Occurrence, OccurrenceStatus, Pause, Schedule
from skriptoteket.core.schedules.planning import is_over, stored_uploads
from skriptoteket.core.schedules.ports import OwnerRights, ScheduleUnit
from skriptoteket.core.schedules.timing import next_due
from skriptoteket.core.versions.models import ToolVersion

_BATCH = 100
_FAILED = frozenset({RunState.FAILED, RunState.TIMED_OUT, RunState.LOST})
_NO_ROOM = (RunnerUnavailable, TooManyRuns, QueueFull)


class _Stop(Exception):
    """Why the schedule is paused instead of fired."""

    def __init__(self, pause: Pause, problems: tuple[str, ...]) -> None:
        self.pause = pause
        self.problems = problems
        super().__init__(pause)


class Firing:
    """The verbs *fire* and *run now*. A due time that finds no room waits for the next round, and fires once then."""

    def __init__(
        self, work: UnitOfWork[ScheduleUnit], clock: Clock, ids: Ids, bell: Doorbell, rules: AdmissionRules
    ) -> None:
        self._work = work
        self._clock = clock
        self._ids = ids
        self._bell = bell
        self._rules = rules

    async def fire(self, rights: OwnerRights) -> int:
        """One round: count what ended, start what is due; how many runs were started."""
        await self._count_ends()
        async with self._work.read() as unit:
            due = await unit.schedules.due(self._clock.now(), _BATCH)
        started = 0
        for found in due:
            allowed = await rights.may_schedule(found.owner)
            try:
                run = await self._fire(found, allowed)
            except _NO_ROOM:
                continue
            if run is not None:
                started += 1
                await self._bell.ring(run.id)
        return started

    async def run_now(self, schedule_id: UUID, owner: str) -> Run:
        """Start it once, beside its times.

        Raises:
            NotFound: missing, somebody else's, or its tool cannot be run.
            Conflict: ``action_in_progress``: its run before this one is not over.
            ValidationFailed: the input does not fit the tool any more.
            RunnerUnavailable, TooManyRuns, QueueFull.
        """
        async with self._work.write() as unit:
            found = await unit.schedules.lock(schedule_id)
            if found.owner != owner:
                raise NotFound("schedule", schedule_id)
            if await self._still_runs(unit, found):
                text = "The run before this one is not over. Wait for it, or cancel it."
                raise Conflict("action_in_progress", text, {"run_id": str(found.pending_run_id)})
            tool = await unit.tools.get(found.tool_id)
            run = await self._start(unit, found, tool, await runnable_version(unit, tool, tool.slug))
            await unit.schedules.update(replace(found, pending_run_id=run.id))
        await self._bell.ring(run.id)
        return run

    async def _fire(self, seen: Schedule, allowed: bool) -> Run | None:
        now = self._clock.now()
        async with self._work.write() as unit:
            try:
                found = await unit.schedules.lock(seen.id)
            except NotFound:
                return None
            due = found.next_due_at
            if due is None or due != seen.next_due_at or due > now:
                return None  # another process was faster, or its owner changed it
            following = next_due(found.cron, found.timezone, now)
            if is_over(found, due):
                await unit.schedules.update(replace(found, pause=Pause.OVER, next_due_at=None))
                return None
            if await self._still_runs(unit, found):
                await self._note(unit, found, due, OccurrenceStatus.SKIPPED, detail="the run before was not over")
                await unit.schedules.update(replace(found, next_due_at=following))
                return None
            try:
                run = await self._checked(unit, found, allowed)
            except _Stop as stop:
                await self._note(unit, found, due, OccurrenceStatus.PAUSED, detail="; ".join(stop.problems))
                paused = replace(found, pause=stop.pause, problems=stop.problems, next_due_at=None)
                await unit.schedules.update(paused)
                return None
            if not await self._note(unit, found, due, OccurrenceStatus.STARTED, run.id):
                raise RuntimeError(f"schedule {found.id} was due at {due} before, and its row did not say so")
            moved = replace(found, pending_run_id=run.id, runs_started=found.runs_started + 1, next_due_at=following)
            if is_over(moved, following):
                moved = replace(moved, pause=Pause.OVER, next_due_at=None)
            await unit.schedules.update(moved)
            return run

    async def _checked(self, unit: ScheduleUnit, found: Schedule, allowed: bool) -> Run:
        if not allowed:
            raise _Stop(Pause.NOT_ALLOWED, ("You may no longer let tools run at set times.",))
        tool = await unit.tools.get(found.tool_id)
        try:
            return await self._start(unit, found, tool, await runnable_version(unit, tool, tool.slug))
        except NotFound:
            raise _Stop(Pause.NOT_RUNNABLE, ("The tool cannot be run at present.",)) from None
        except ValidationFailed as error:
            raise _Stop(Pause.INPUT, tuple(f"{each.field}: {each.message}" for each in error.issues)) from None

    async def _start(self, unit: ScheduleUnit, found: Schedule, tool: Tool, version: ToolVersion) -> Run:
        now = self._clock.now()
        behaviour = version.behaviour
        issues: list[FieldIssue] = []
        values = accepted_input(behaviour, found.values, stored_uploads(found), issues, stored=True)
        settings = await settings_of_a_run(unit.preferences, tool.id, behaviour, found.owner)
        limits = self._rules.limits(behaviour.limits)
        await ensure_room(unit, self._rules, (behaviour.environment, limits, behaviour.requirements), found.owner, now)
        run = Run(
            id=RunId(self._ids.new()),
            kind=RunKind.SCHEDULED,
            context=RunContext.PRODUCTION,
            lane=Lane.SCHEDULED,
            state=RunState.QUEUED,
            tool_id=tool.id,
            version_id=version.id,
            snapshot_id=None,
            behaviour_hash=version.behaviour_hash,
            requested_by=found.owner,
            requested_at=now,
            environment=behaviour.environment,
            limits=limits,
            requirements=behaviour.requirements,
            idempotent=behaviour.idempotent,
            files=found.files,
            values=values,
            settings=settings,
            locale=found.locale,
            schedule_id=found.id,
            queue_deadline=now + self._rules.queue_deadline,
        )
        await unit.runs.add(run)
        return run

    async def _count_ends(self) -> None:
        async with self._work.read() as unit:
            candidates = await unit.schedules.uncounted(_BATCH)
        for seen in candidates:
            async with self._work.write() as unit:
                try:
                    found = await unit.schedules.lock(seen.id)
                except NotFound:
                    continue
                if found.pending_run_id is not None and not await self._still_runs(unit, found):
                    await unit.schedules.update(await self._counted(unit, found))

    async def _counted(self, unit: ScheduleUnit, found: Schedule) -> Schedule:
        state = await _state(unit, found)
        failures = found.consecutive_failures
        if state in _FAILED:
            failures += 1
        elif state is RunState.SUCCEEDED:
            failures = 0
        counted = replace(found, pending_run_id=None, consecutive_failures=failures)
        if found.enabled and failures >= FAILURES_THAT_PAUSE:
            told = (f"{failures} runs in a row failed.",)
            return replace(counted, pause=Pause.FAILURES, problems=told, next_due_at=None)
        return counted

    async def _still_runs(self, unit: ScheduleUnit, found: Schedule) -> bool:
        state = await _state(unit, found)
        return state is not None and not state.terminal

    async def _note(
        self,
        unit: ScheduleUnit,
        found: Schedule,
        due: datetime,
        status: OccurrenceStatus,
        run_id: RunId | None = None,
        detail: str = "",
    ) -> bool:
        return await unit.schedules.note(Occurrence(found.id, due, status, self._clock.now(), run_id, detail[:1000]))


async def _state(unit: ScheduleUnit, found: Schedule) -> RunState | None:
    """Of the pending run; ``None`` when there is none."""
    if found.pending_run_id is None:
        return None
    try:
        return (await unit.runs.get(found.pending_run_id)).state
    except NotFound:
        return None
