"""Forget old files, logs and results on time; what is gone is shown as expired, never as missing."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from skriptoteket.core.errors import NotFound, SkriptoteketError
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.ports import Clock, UnitOfWork
from skriptoteket.core.runs.models import Run
from skriptoteket.core.runs.oversight.operations import PURGE
from skriptoteket.core.runs.ports.files import ArtifactStore
from skriptoteket.core.runs.ports.neighbours import SESSION_IDLE_TIME
from skriptoteket.core.runs.ports.records import ExpiringRuns, Upkeep
from skriptoteket.core.runs.ports.unit import RunUnit

_BATCH = 100
_ORPHAN_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeepingTimes:
    """How long each class of data is kept, counted from the end of the run."""

    inputs: timedelta = timedelta(hours=24)
    artifacts: timedelta = timedelta(days=7)
    logs: timedelta = timedelta(days=14)
    results: timedelta = timedelta(days=90)
    runs: timedelta = timedelta(days=400)
    sessions: timedelta = SESSION_IDLE_TIME


@dataclass(frozen=True, slots=True)
class Purged:
    """What one purge removed, by class, and how many runs it could not finish."""

    counts: dict[str, int]
    failures: int


class Retention:
    """The verb *purge*. Active runs are never touched; files go before their rows are marked, so nothing stays
    unnoticed."""

    def __init__(self, work: UnitOfWork[RunUnit], files: ArtifactStore, clock: Clock, times: KeepingTimes) -> None:
        self._work = work
        self._files = files
        self._clock = clock
        self._times = times

    async def purge(self, *, dry: bool = False) -> Purged:
        """Remove everything whose time is over. ``dry`` only counts."""
        now = self._clock.now()
        counts = {"inputs": 0, "artifacts": 0, "logs": 0, "results": 0, "runs": 0, "orphans": 0}
        failures = 0
        for kind, kept in (
            ("inputs", self._times.inputs),
            ("artifacts", self._times.artifacts),
            ("logs", self._times.logs),
            ("results", self._times.results),
            ("runs", self._times.runs),
        ):
            done, failed = await self._purge_class(kind, now - kept, now, dry)
            counts[kind] += done
            failures += failed
        counts["orphans"] = await self._sweep(now, dry)
        if not dry:
            async with self._work.write() as unit:
                await unit.runs.forget_live_view(now - timedelta(hours=1), now)
                await unit.schedules.forget_history(now - self._times.runs)
                counts["sessions"] = await unit.sessions.forget_unused(now - self._times.sessions)
                counts["snapshots"] = await unit.snapshots.forget_expired(now)
                await unit.runs.keep_upkeep(await self._kept(unit, now, counts, failures))
        return Purged(counts, failures)

    async def _kept(self, unit: RunUnit, now: datetime, counts: dict[str, int], failures: int) -> Upkeep:
        before = await unit.runs.upkeep(PURGE)
        succeeded = now if failures == 0 else (before.succeeded_at if before is not None else None)
        return Upkeep(PURGE, now, succeeded, failures, counts)

    async def _purge_class(self, kind: str, before: datetime, now: datetime, dry: bool) -> tuple[int, int]:
        done = failed = 0
        after = None
        while True:
            async with self._work.read() as unit:
                runs = await unit.runs.expiring(ExpiringRuns(kind, before, after), _BATCH)
            for run in runs:
                try:
                    if not dry:
                        await self._forget(kind, run, now)
                    done += 1
                except SkriptoteketError:
                    failed += 1  # tried again at the next purge; the health check tells of it
            if len(runs) < _BATCH:
                return done, failed
            after = runs[-1].id

    async def _forget(self, kind: str, run: Run, now: datetime) -> None:
        if kind in ("inputs", "artifacts", "runs"):
            await self._delete_blobs(run, inputs=kind != "artifacts", artifacts=kind != "inputs")
        async with self._work.write() as unit:
            if kind == "runs":
                await unit.runs.remove(run.id)
                return
            fresh = await unit.runs.get(run.id)
            if kind == "inputs":
                files = tuple(replace(file, blob_key=None) for file in fresh.files)
                await unit.runs.update(replace(fresh, files=files, inputs_expired_at=now))
            elif kind == "artifacts":
                await unit.runs.forget_files(run.id)
                await unit.runs.update(replace(fresh, artifacts_expired_at=now))
            elif kind == "logs":
                await unit.runs.forget_logs(run.id)
                await unit.runs.update(replace(fresh, author_detail="", logs_expired_at=now))
            else:
                gone = replace(fresh, outputs=(), next_actions=(), values={}, state_out=None, result_expired_at=now)
                await unit.runs.update(gone)

    async def _sweep(self, now: datetime, dry: bool) -> int:
        """Files that no row speaks of: interrupted submissions, and uploads of runs that ended while they waited."""
        swept = 0
        spoken_of: set[str] = set()
        current: RunId | None = None
        async for key in self._files.keys("runs/"):
            owner = _owner_of(key)
            run_id = RunId(owner) if owner is not None else None
            if run_id is None or _made_at(run_id) > now - _ORPHAN_AGE:
                continue
            if run_id != current:
                current, spoken_of = run_id, await self._keys_of(run_id)
            if key not in spoken_of:
                swept += 1
                if not dry:
                    await self._files.delete(key)
        return swept + await self._sweep_schedules(now, dry)

    async def _sweep_schedules(self, now: datetime, dry: bool) -> int:
        """Files of schedules that were never kept, or whose owner has left."""
        swept = 0
        known: dict[UUID, bool] = {}
        async for key in self._files.keys("schedules/"):
            owner = _owner_of(key)
            if owner is None or _made_at(owner) > now - _ORPHAN_AGE:
                continue
            if owner not in known:
                async with self._work.read() as unit:
                    known[owner] = await unit.schedules.known(owner)
            if not known[owner]:
                swept += 1
                if not dry:
                    await self._files.delete(key)
        return swept

    async def _keys_of(self, run_id: RunId) -> set[str]:
        async with self._work.read() as unit:
            try:
                run = await unit.runs.get(run_id)
            except NotFound:
                return set()
            kept = [file.blob_key for file in run.files] + [
                artifact.blob_key for artifact in await unit.runs.artifacts(run_id)
            ]
            live = not run.state.terminal
        found = {key for key in kept if key is not None}
        return _Everything() if live else found

    async def _delete_blobs(self, run: Run, *, inputs: bool, artifacts: bool) -> None:
        if inputs:
            for file in run.files:
                if file.blob_key is not None and run.owns(file):
                    await self._files.delete(file.blob_key)
        if artifacts:
            async with self._work.read() as unit:
                kept = await unit.runs.artifacts(run.id)
            for artifact in kept:
                if artifact.blob_key is not None:
                    await self._files.delete(artifact.blob_key)


class _Everything(set[str]):
    """The files of a run that is not over: its worker may be writing more of them right now."""

    def __contains__(self, key: object) -> bool:
        return True


def _owner_of(key: str) -> UUID | None:
    try:
        return UUID(key.split("/")[1])
    except (IndexError, ValueError):
        return None


def _made_at(owner: UUID) -> datetime:
    """Ids are UUIDv7: their first 48 bits are milliseconds since 1970."""
    return datetime.fromtimestamp((owner.int >> 80) / 1000, UTC)
