"""Runs: one of a source at a time, planned before anything is changed, kept with their reports."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from au_sys_identity.core.access.models import SYSTEM
from au_sys_identity.core.directories.errors import SyncThreshold
from au_sys_identity.core.directories.models import Directory, Entry, Step, SyncRun
from au_sys_identity.core.directories.ports import DirectorySource
from au_sys_identity.core.directories.provisioning import Plan, Provisioning
from au_sys_identity.core.errors import BadCredentials, Conflict, IdentityError, NotFound, Stale
from au_sys_identity.core.events import Fact
from au_sys_identity.core.ids import uuid7
from au_sys_identity.core.ports import Clock, Transactions
from au_sys_identity.core.settings.lists import NamedList

_SILENT = timedelta(minutes=5)
_BATCH = 100


class Syncing:
    """Brings whole directories in line. ``limit`` is how many percent of the people one run may switch off."""

    def __init__(
        self,
        transactions: Transactions,
        directories: NamedList[Directory],
        source: DirectorySource,
        provisioning: Provisioning,
        clock: Clock,
        *,
        limit: int,
    ) -> None:
        self._transactions = transactions
        self._directories = directories
        self._source = source
        self._provisioning = provisioning
        self._clock = clock
        self.limit = limit

    async def run(self, name: str, *, dry_run: bool, by: str) -> SyncRun:
        """Read the directory, plan, and unless it is a dry run do what was planned. Returns the run with its report.

        Raises:
            NotFound: no such directory, or it is switched off.
            SyncRunning: another run of it is under way.
            SyncThreshold: too many people would be switched off; nothing was done.
            DirectoryUnreachable: it could not be read to the end; nothing was done.
        """
        directory = await self._directories.get(name)
        if directory is None or not directory.enabled:
            raise NotFound("directory")
        run = await self._begin(directory, dry_run=dry_run, by=by)
        try:
            entries = [entry async for page in self._source.people(directory) for entry in page]
            ended = await self._carried_out(directory, run, entries)
        except BaseException as error:
            reason = str(error) if isinstance(error, IdentityError) else type(error).__name__
            state = "refused" if isinstance(error, SyncThreshold) else "failed"
            await asyncio.shield(self._end(replace(run, state=state, report={**run.report, "error": reason})))  # type: ignore[arg-type]  # two literals
            raise
        return ended

    async def run_due(self, every: timedelta | None) -> None:
        """Bring every directory in line whose last run is so long ago, for the job; each one's trouble stays in its
        report.
        """
        if every is None:
            return
        for directory in await self._directories.enabled():
            last = next((run for run in await self.newest(directory.name, 20) if not run.dry_run), None)
            if last is not None and self._clock() - last.started_at < every:
                continue
            try:
                await self.run(directory.name, dry_run=False, by=SYSTEM)
            except IdentityError:
                continue

    async def newest(self, name: str | None = None, limit: int = 50) -> list[SyncRun]:
        """Runs, newest first."""
        async with self._transactions.reading() as unit:
            return await unit.sync_runs.newest(f"directory:{name}" if name else None, limit)

    async def get(self, run_id: UUID) -> SyncRun:
        """One run.

        Raises:
            NotFound: there is none.
        """
        async with self._transactions.reading() as unit:
            found = await unit.sync_runs.get(run_id)
        if found is None:
            raise NotFound("run")
        return found

    async def _begin(self, directory: Directory, *, dry_run: bool, by: str) -> SyncRun:
        now = self._clock()
        run = SyncRun(uuid7(), directory.source, "running", dry_run, now, now, by)
        async with self._transactions.writing() as unit:
            await unit.sync_runs.abandon_silent(run.source, before=now - _SILENT)
            await unit.sync_runs.begin(run)
        return run

    async def _carried_out(self, directory: Directory, run: SyncRun, entries: Sequence[Entry]) -> SyncRun:
        async with self._transactions.reading() as unit:
            plan = await self._provisioning.plan(unit, directory, entries)
        report = plan.report(self.limit)
        if not run.dry_run:
            if plan.exceeds(self.limit):
                raise SyncThreshold(plan.disabled, plan.known, self.limit)
            left = await self._applied(directory, run, plan)
            if left:
                report["not_applied"] = [step.shown() for step in left]
        return await self._end(replace(run, state="done", report=report))

    async def _applied(self, directory: Directory, run: SyncRun, plan: Plan) -> list[Step]:
        """Steps that met a change of the same moment; the next run makes them good."""
        left: list[Step] = []
        for start in range(0, len(plan.steps), _BATCH):
            for step in plan.steps[start : start + _BATCH]:
                try:
                    async with self._transactions.writing() as unit:
                        await self._provisioning.apply(unit, directory, step, by=run.started_by)
                except (Stale, Conflict, BadCredentials):
                    left.append(step)
            async with self._transactions.writing() as unit:
                await unit.sync_runs.beat(run.id, at=self._clock())
        return left

    async def _end(self, run: SyncRun) -> SyncRun:
        ended = replace(run, heartbeat_at=self._clock())
        outcome = "success" if run.state == "done" else "failed"
        async with self._transactions.writing() as unit:
            await unit.sync_runs.save(ended)
            details: dict[str, str | int | bool | None] = {"dry_run": run.dry_run, "run": str(run.id)}
            unit.record(Fact("directory.synced", run.started_by, f"urn:au:{run.source}", outcome, details=details))  # type: ignore[arg-type]  # two literals
        return ended
