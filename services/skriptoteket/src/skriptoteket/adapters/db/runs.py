"""RunStore and WorkerStore on SQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.rows import run_of, run_row, worker_of, worker_row
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import (
    idempotency_keys,
    run_accesses,
    run_artifacts,
    run_events,
    run_logs,
    runs,
    upkeep,
    workers,
)
from skriptoteket.core.errors import Conflict, NotFound
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Artifact, Ended, Run, RunContext, RunState, StreamText
from skriptoteket.core.runs.ports.records import ExpiringRuns, Remembered, RunEvent, RunFilter, RunLogs, Upkeep
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.sight import RunAccess

_EXPIRY = {
    "inputs": runs.c.inputs_expired_at,
    "artifacts": runs.c.artifacts_expired_at,
    "logs": runs.c.logs_expired_at,
    "results": runs.c.result_expired_at,
}

LEASE_FIELDS = frozenset({"attempt", "tries", "lease_owner"})


class SqlRunStore:
    """Runs with their artifacts, logs, events and idempotency keys."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, run: Run) -> None:
        """Insert."""
        await self._session.execute(insert(runs).values(run_row(run)))

    async def get(self, run_id: RunId) -> Run:
        """Raises ``NotFound``."""
        row = (await self._session.execute(select(runs).where(runs.c.id == run_id))).mappings().first()
        if row is None:
            raise NotFound("run", run_id)
        return run_of(row)

    async def page(self, wanted: RunFilter, limit: int, before: RunId | None = None) -> Sequence[Run]:
        """Newest first."""
        query = (
            select(runs).where(runs.c.deleted_at.is_(None), *_wanted(wanted)).order_by(runs.c.id.desc()).limit(limit)
        )
        if before is not None:
            query = query.where(runs.c.id < before)
        return [run_of(row) for row in (await self._session.execute(query)).mappings()]

    async def artifacts(self, run_id: RunId) -> Sequence[Artifact]:
        """In the order in which they were collected."""
        query = select(run_artifacts).where(run_artifacts.c.run_id == run_id).order_by(run_artifacts.c.place)
        rows = (await self._session.execute(query)).mappings()
        return [
            Artifact(row["artifact_id"], row["path"], row["size"], row["sha256"], row["media_type"], row["blob_key"])
            for row in rows
        ]

    async def logs(self, run_id: RunId) -> RunLogs:
        """Empty before the end."""
        row = (await self._session.execute(select(run_logs).where(run_logs.c.run_id == run_id))).mappings().first()
        if row is None:
            return RunLogs(StreamText(), StreamText())
        return RunLogs(
            StreamText(row["stdout"], row["stdout_bytes"], row["stdout_dropped"]),
            StreamText(row["stderr"], row["stderr_bytes"], row["stderr_dropped"]),
        )

    async def append_events(
        self, run_id: RunId, events: Sequence[tuple[str, Mapping[str, JsonValue]]], at: datetime
    ) -> None:
        """Add to the live view."""
        query = select(func.max(run_events.c.number)).where(run_events.c.run_id == run_id)
        last = (await self._session.execute(query)).scalar() or 0
        rows = [
            {"run_id": run_id, "number": last + place, "kind": kind, "data": dict(data), "created_at": at}
            for place, (kind, data) in enumerate(events, start=1)
        ]
        if rows:
            await self._session.execute(insert(run_events), rows)

    async def events(self, run_id: RunId, after: int = 0, limit: int = 500) -> Sequence[RunEvent]:
        """Behind ``after``, in order."""
        query = select(run_events).where(run_events.c.run_id == run_id, run_events.c.number > after)
        rows = await self._session.execute(query.order_by(run_events.c.number).limit(limit))
        return [RunEvent(row["number"], row["kind"], row["data"], row["created_at"]) for row in rows.mappings()]

    async def remember(self, scope: str, kept: Remembered, now: datetime, until: datetime) -> None:
        """Keep what an idempotency key stands for; an expired one is replaced. Raises ``Conflict`` (duplicate)."""
        # only what has expired: a live key here is another request's, kept since this one looked
        of = idempotency_keys.c
        await self._session.execute(delete(idempotency_keys).where(of.scope == scope, of.expires_at <= now))
        row = {"scope": scope, "fingerprint": kept.fingerprint, "run_id": kept.run_id, "expires_at": until}
        try:
            async with self._session.begin_nested():
                await self._session.execute(insert(idempotency_keys).values(row))
        except IntegrityError:
            raise Conflict("duplicate", "This Idempotency-Key was used in the same moment.") from None

    async def remembered(self, scope: str, now: datetime) -> Remembered | None:
        """What the key stands for, while it lives."""
        query = select(idempotency_keys).where(idempotency_keys.c.scope == scope, idempotency_keys.c.expires_at > now)
        row = (await self._session.execute(query)).mappings().first()
        return Remembered(row["fingerprint"], RunId(row["run_id"])) if row is not None else None

    async def expiring(self, wanted: ExpiringRuns, limit: int) -> Sequence[Run]:
        """Finished runs with data of this kind that is over, in the order of submission."""
        query = select(runs).where(runs.c.finished_at < wanted.before).order_by(runs.c.id).limit(limit)
        if wanted.kind in _EXPIRY:
            query = query.where(_EXPIRY[wanted.kind].is_(None))
        if wanted.after is not None:
            query = query.where(runs.c.id > wanted.after)
        return [run_of(row) for row in (await self._session.execute(query)).mappings()]

    async def forget_files(self, run_id: RunId) -> None:
        """Keep the artifacts' names, without their blobs."""
        await self._session.execute(update(run_artifacts).where(run_artifacts.c.run_id == run_id).values(blob_key=None))

    async def forget_artifacts(self, run_id: RunId) -> None:
        """Their names too."""
        await self._session.execute(delete(run_artifacts).where(run_artifacts.c.run_id == run_id))

    async def note_access(self, access: RunAccess) -> None:
        """Append."""
        values = (access.id, access.run_id, access.by, access.at, access.until, access.reason)
        row = dict(zip(run_accesses.c.keys(), values, strict=True))
        await self._session.execute(insert(run_accesses).values(row))

    async def accesses(self, run_id: RunId) -> Sequence[RunAccess]:
        """Oldest first."""
        query = select(run_accesses).where(run_accesses.c.run_id == run_id).order_by(run_accesses.c.id)
        return [RunAccess(*row) for row in (await self._session.execute(query)).all()]

    async def outcomes(self, since: datetime) -> Mapping[str, int]:
        """By outcome."""
        query = select(runs.c.outcome, func.count()).where(runs.c.finished_at >= since, runs.c.outcome.is_not(None))
        return {outcome: count for outcome, count in (await self._session.execute(query.group_by(runs.c.outcome)))}

    async def outcomes_of_tools(self, tools: Collection[ToolId], since: datetime) -> Mapping[ToolId, Mapping[str, int]]:
        """By tool, then by outcome, without trials."""
        of, counted = runs.c, func.count()
        query = select(of.tool_id, of.outcome, counted).where(of.tool_id.in_(list(tools)), of.finished_at >= since)
        real = query.where(of.context == RunContext.PRODUCTION, of.outcome.is_not(None))
        found: dict[ToolId, dict[str, int]] = {}
        for tool_id, outcome, count in await self._session.execute(real.group_by(of.tool_id, of.outcome)):
            found.setdefault(ToolId(tool_id), {})[outcome] = count
        return found

    async def tried(self, tool_id: ToolId, behaviour_hash: str) -> bool:
        """Whether a sandbox run of exactly this behaviour succeeded."""
        of = runs.c
        query = select(of.id).where(of.tool_id == tool_id, of.behaviour_hash == behaviour_hash)
        query = query.where(of.check_only.is_not(True))  # a text that was only looked at did not succeed
        done = query.where(of.context == RunContext.SANDBOX, of.state == RunState.SUCCEEDED)
        return (await self._session.execute(done.limit(1))).first() is not None

    async def upkeep(self, name: str) -> Upkeep | None:
        """How a duty last went."""
        row = (await self._session.execute(select(upkeep).where(upkeep.c.name == name))).mappings().first()
        return Upkeep(**row) if row is not None else None

    async def keep_upkeep(self, done: Upkeep) -> None:
        """Insert or replace."""
        row = {**asdict(done), "counts": dict(done.counts)}
        if await rows_changed(self._session, update(upkeep).where(upkeep.c.name == done.name).values(row)) == 0:
            await self._session.execute(insert(upkeep).values(row))

    async def forget_logs(self, run_id: RunId) -> None:
        """Idempotent."""
        await self._session.execute(delete(run_logs).where(run_logs.c.run_id == run_id))

    async def forget_live_view(self, before: datetime, now: datetime) -> None:
        """Remove events of runs that ended earlier, and idempotency keys whose time is over."""
        ended = select(runs.c.id).where(runs.c.finished_at < before)
        await self._session.execute(delete(run_events).where(run_events.c.run_id.in_(ended)))
        await self._session.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at < now))

    async def remove(self, run_id: RunId) -> None:
        """The row and everything that belongs to it."""
        for table in (run_artifacts, run_logs, run_events, run_accesses):
            await self._session.execute(delete(table).where(table.c.run_id == run_id))
        await self._session.execute(delete(runs).where(runs.c.id == run_id))

    async def update(self, run: Run) -> None:
        """Replace everything but the lease. Raises ``NotFound``."""
        row = {name: value for name, value in run_row(run).items() if name not in LEASE_FIELDS}
        changed = await rows_changed(self._session, update(runs).where(runs.c.id == run.id).values(row))
        if changed == 0:
            raise NotFound("run", run.id)


async def write_results(session: AsyncSession, run_id: RunId, ended: Ended) -> None:
    """Artifacts and logs of a run that ends."""
    rows = [
        {
            "run_id": run_id,
            "artifact_id": artifact.artifact_id,
            "place": place,
            "path": artifact.path,
            "size": artifact.bytes,
            "sha256": artifact.sha256,
            "media_type": artifact.media_type,
            "blob_key": artifact.blob_key,
        }
        for place, artifact in enumerate(ended.artifacts)
    ]
    await session.execute(delete(run_artifacts).where(run_artifacts.c.run_id == run_id))
    if rows:
        await session.execute(insert(run_artifacts), rows)
    await session.execute(delete(run_logs).where(run_logs.c.run_id == run_id))
    logs = {
        f"{name}{suffix}": value
        for name, stream in (("stdout", ended.stdout), ("stderr", ended.stderr))
        for suffix, value in (
            ("", stream.text.replace("\x00", "\ufffd")),
            ("_bytes", stream.bytes),
            ("_dropped", stream.dropped),
        )
    }
    await session.execute(insert(run_logs).values(run_id=run_id, **logs))


class SqlWorkerStore:
    """Workers and when they were last alive."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def save(self, worker: Worker) -> None:
        """Insert or replace."""
        row = worker_row(worker)
        changed = await rows_changed(self._session, update(workers).where(workers.c.id == worker.id).values(row))
        if changed == 0:
            await self._session.execute(insert(workers).values(row))

    async def all(self) -> Sequence[Worker]:
        """Every record, live or not."""
        return [worker_of(row) for row in (await self._session.execute(select(workers))).mappings()]

    async def ask_to_drain(self, worker: WorkerId, at: datetime) -> bool:
        """A column of its own, which the worker's heartbeat leaves alone."""
        asked = update(workers).where(workers.c.id == worker).values(drain_asked_at=at)
        return await rows_changed(self._session, asked) > 0

    async def asked_to_drain(self, worker: WorkerId) -> bool:
        """Whether somebody asked."""
        query = select(workers.c.id).where(workers.c.id == worker, workers.c.drain_asked_at.is_not(None))
        return (await self._session.execute(query)).first() is not None

    async def remove(self, worker: WorkerId) -> None:
        """Idempotent."""
        await self._session.execute(delete(workers).where(workers.c.id == worker))


def _wanted(wanted: RunFilter) -> list[ColumnElement[bool]]:
    of = runs.c
    equal = {
        of.requested_by: wanted.requested_by,
        of.tool_id: wanted.tool_id,
        of.behaviour_hash: wanted.behaviour_hash,
    }
    among = {of.state: wanted.states, of.context: wanted.contexts, of.outcome: wanted.outcomes}
    found: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
    found += [column.in_(values) for column, values in among.items() if values is not None]
    if wanted.shared:
        found.append(of.shared_at.is_not(None))
    if wanted.after is not None:
        found.append(of.requested_at >= wanted.after)
    if wanted.until is not None:
        found.append(of.requested_at < wanted.until)
    return found
