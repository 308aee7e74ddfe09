"""RunQueue on SQL: leases, fencing and a fair order; with PostgreSQL several workers claim side by side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from skriptoteket.adapters.db.lease_clock import read_clock
from skriptoteket.adapters.db.rows import Row, run_of, run_row
from skriptoteket.adapters.db.runs import write_results
from skriptoteket.adapters.db.statements import rows_changed
from skriptoteket.adapters.db.tables import runs, tools
from skriptoteket.core.errors import Conflict, Fenced, NotFound
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.runs.models import (
    ACTIVE,
    Claim,
    Ended,
    OutcomeCode,
    Run,
    RunContext,
    RunState,
    advance,
    finish,
)
from skriptoteket.core.runs.ports.queue import Candidate, ClaimRules, LaneLoad, Timing
from skriptoteket.core.runs.queueing.fairness import RECENT_STARTS, Load, Occupied, next_run, start_order
from skriptoteket.core.runs.queueing.matching import missing, requirements_of
from skriptoteket.core.runs.queueing.rules import end_of_inputs, ended_waiting, rescued

_LIGHT = (
    runs.c.id,
    runs.c.lane,
    runs.c.requested_by,
    runs.c.tool_id,
    runs.c.limits,
    runs.c.environment,
    runs.c.requirements,
)


class SqlRunQueue:
    """The table of runs, seen as a queue. No method ends the transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def claim(self, worker: WorkerId, rules: ClaimRules, now: datetime, lease: timedelta) -> Run | None:
        """The next run in fair order, leased to the worker."""
        rows = await self._waiting()
        fitting = [row for row in rows if _fits(row, rules)]
        load = await self._load(rules)
        passed: set[RunId] = set()
        while True:
            candidates = [candidate for candidate in _candidates(fitting) if candidate.run_id not in passed]
            chosen = next_run(candidates, load)
            if chosen is None:
                return None
            row = await self._row(
                select(runs).where(runs.c.id == chosen.run_id, runs.c.state == RunState.QUEUED), skip=True
            )
            if row is None:  # another worker has it in its hands
                passed.add(chosen.run_id)
                continue
            run = run_of(row)
            claimed = replace(
                advance(run, RunState.STARTING, now), attempt=run.attempt + 1, tries=run.tries + 1, lease_owner=worker
            )
            epoch, seconds = await read_clock(self._session)
            leased = {"lease_epoch": epoch, "lease_until": seconds + lease.total_seconds(), "claimed_at": now}
            await self._write(claimed, leased)
            return claimed

    async def renew(self, claims: Collection[Claim], lease: timedelta) -> Collection[Claim]:
        """Prolong leases; the answer is what is still held."""
        epoch, seconds = await read_clock(self._session)
        held = []
        for claim in claims:
            values = {"lease_epoch": epoch, "lease_until": seconds + lease.total_seconds()}
            changed = await rows_changed(self._session, update(runs).where(_held(claim)).values(values))
            if changed == 1:
                held.append(claim)
        return held

    async def move(
        self,
        claim: Claim,
        to: RunState,
        now: datetime,
        *,
        runner: str | None = None,
        isolation: Mapping[str, str] | None = None,
        environment_digest: str | None = None,
    ) -> Run:
        """One legal move that is not terminal."""
        run = advance(await self._claimed(claim), to, now)
        if to is RunState.QUEUED:
            run = replace(run, tries=max(0, run.tries - 1))
        run = replace(
            run,
            runner=run.runner if runner is None else runner,
            isolation=run.isolation if isolation is None else isolation,
            environment_digest=run.environment_digest if environment_digest is None else environment_digest,
        )
        await self._write(run)
        return run

    async def finish(self, claim: Claim, ended: Ended, now: datetime) -> Run:
        """Outcome, results and terminal state, together."""
        run = end_of_inputs(finish(await self._claimed(claim), ended, now), now)
        await self._write(run)
        await write_results(self._session, run.id, ended)
        return run

    async def cancel_requested(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Those whose run somebody wants cancelled."""
        ids = [claim.run_id for claim in claims]
        found = await self._session.execute(select(runs.c.id).where(runs.c.id.in_(ids), runs.c.cancel_requested))
        wanted = set(found.scalars())
        return [claim for claim in claims if claim.run_id in wanted]

    async def orphans(self, dead: Collection[WorkerId] = ()) -> Sequence[Run]:
        """Runs in progress that nobody keeps alive."""
        epoch, seconds = await read_clock(self._session)
        abandoned = or_(
            runs.c.lease_owner.is_(None),
            runs.c.lease_owner.in_(list(dead)),
            runs.c.lease_epoch != epoch,
            runs.c.lease_until < seconds,
        )
        query = select(runs).where(runs.c.state.in_(ACTIVE), abandoned).order_by(runs.c.id)
        return [run_of(row) for row in (await self._session.execute(query)).mappings()]

    async def rescue(self, run: Run, max_tries: int, now: datetime) -> Run:
        """End an orphan as lost, or requeue it."""
        query = select(runs).where(runs.c.id == run.id, runs.c.attempt == run.attempt, runs.c.state.in_(ACTIVE))
        # Not waited for: a host that is cut off may hold the row until its connection is given up, and whoever waited
        # for that would miss the heartbeats of its own runs.
        row = await self._row(query, skip=True)
        if row is None:
            raise Fenced(run.id, run.attempt)
        saved = rescued(run_of(row), max_tries, now)
        await self._write(saved)
        return saved

    async def overdue(self, now: datetime) -> Sequence[Run]:
        """End what waited too long."""
        query = select(runs).where(runs.c.state == RunState.QUEUED, runs.c.queue_deadline < now)
        ended = []
        for row in (await self._session.execute(query)).mappings().all():
            run = ended_waiting(run_of(row), OutcomeCode.QUEUE_TIMEOUT, now)
            await self._write(run)
            ended.append(run)
        return ended

    async def request_cancel(self, run_id: RunId, reason: str, now: datetime) -> Run:
        """Cancel at once, or flag."""
        row = await self._row(select(runs).where(runs.c.id == run_id))
        if row is None:
            raise NotFound("run", run_id)
        run = run_of(row)
        if run.state is RunState.QUEUED:
            run = ended_waiting(replace(run, cancel_reason=reason), OutcomeCode.CANCELLED, now)
        elif run.state in (RunState.STARTING, RunState.RUNNING):
            run = replace(run, cancel_requested=True, cancel_reason=run.cancel_reason or reason)
        else:
            raise Conflict("wrong_state", f"The run is {run.state} and cannot be cancelled.", {"state": run.state})
        await self._write(run)
        return run

    async def retire(self, tool_id: ToolId, keep: VersionId | None, now: datetime) -> int:
        """Cancel waiting runs of versions that are not active any more."""
        query = select(runs).where(
            runs.c.tool_id == tool_id, runs.c.state == RunState.QUEUED, runs.c.context == RunContext.PRODUCTION
        )
        if keep is not None:
            query = query.where(runs.c.version_id != keep)
        rows = (await self._session.execute(query)).mappings().all()
        for row in rows:
            gone = replace(run_of(row), cancel_reason="version_retired")
            text = "Cancelled: the tool was changed or taken away while this run was waiting."
            await self._write(ended_waiting(gone, OutcomeCode.CANCELLED, now, text))
        return len(rows)

    async def depth(self, requested_by: str | None = None) -> int:
        """How many runs wait."""
        query = select(func.count()).select_from(runs).where(runs.c.state == RunState.QUEUED)
        if requested_by is not None:
            query = query.where(runs.c.requested_by == requested_by)
        return (await self._session.execute(query)).scalar_one()

    async def line(self) -> Sequence[Candidate]:
        """What waits, in the order in which it will start."""
        return start_order(_candidates(await self._waiting()), await self._load(None))

    async def timings(self, limit: int) -> Sequence[Timing]:
        """The runs that were submitted last, of those that started."""
        query = select(runs.c.tool_id, runs.c.lane, runs.c.started_at, runs.c.finished_at)
        started = query.where(runs.c.started_at.is_not(None)).order_by(runs.c.id.desc()).limit(limit)
        return [Timing(ToolId(tool_id), *times) for tool_id, *times in await self._session.execute(started)]

    async def oldest_waiting(self) -> datetime | None:
        """When the oldest waiting run was submitted."""
        query = select(func.min(runs.c.requested_at)).where(runs.c.state == RunState.QUEUED)
        found: datetime | None = (await self._session.execute(query)).scalar()
        return found

    async def lanes(self) -> Sequence[LaneLoad]:
        """Lanes in which something waits."""
        query = select(runs.c.lane, func.count(), func.min(runs.c.requested_at))
        found = await self._session.execute(query.where(runs.c.state == RunState.QUEUED).group_by(runs.c.lane))
        return [LaneLoad(*row) for row in found]

    async def _waiting(self) -> Sequence[Row]:
        query = select(*_LIGHT).where(runs.c.state == RunState.QUEUED).order_by(runs.c.id)
        return (await self._session.execute(query)).mappings().all()

    async def _load(self, rules: ClaimRules | None) -> Load:
        active = (await self._session.execute(select(*_LIGHT).where(runs.c.state.in_(ACTIVE)))).mappings().all()
        started = select(runs.c.lane, runs.c.requested_by).where(runs.c.claimed_at.is_not(None))
        recent = (await self._session.execute(started.order_by(runs.c.claimed_at.desc()).limit(500))).all()
        caps = await self._session.execute(
            select(tools.c.id, tools.c.max_parallel).where(tools.c.max_parallel.is_not(None))
        )
        served: dict[str, int] = {}
        for place, (_, user) in enumerate(reversed(recent), start=1):
            served[user] = place
        load = Load(
            active=[Occupied(row["requested_by"], row["tool_id"], row["limits"]["memory_mib"]) for row in active],
            recent=[lane for lane, _ in recent[:RECENT_STARTS]],
            served=served,
            max_parallel={ToolId(tool_id): most for tool_id, most in caps.all()},
        )
        if rules is None:
            return load
        return replace(load, max_active_per_user=rules.max_active_per_user, weights=rules.lane_weights or load.weights)

    async def _claimed(self, claim: Claim) -> Run:
        row = await self._row(select(runs).where(_held(claim)))
        if row is None:
            raise Fenced(claim.run_id, claim.attempt)
        return run_of(row)

    async def _row(self, query: Select[tuple[object, ...]], *, skip: bool = False) -> Row | None:
        return (await self._session.execute(query.with_for_update(skip_locked=skip))).mappings().first()

    async def _write(self, run: Run, lease: Mapping[str, object] | None = None) -> None:
        row = run_row(run)
        if run.lease_owner is None:
            row |= {"lease_epoch": None, "lease_until": None}
        await self._session.execute(update(runs).where(runs.c.id == run.id).values({**row, **(lease or {})}))


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(
        runs.c.id == claim.run_id,
        runs.c.attempt == claim.attempt,
        runs.c.lease_owner == claim.worker,
        runs.c.state.in_(ACTIVE),
    )


def _fits(row: Row, rules: ClaimRules) -> bool:
    wanted = requirements_of(row["requirements"])
    return (
        row["lane"] not in rules.held_back
        and row["environment"] in rules.environments
        and row["limits"]["memory_mib"] <= rules.memory_mib
        and (rules.isolation_waived or not missing(rules.capabilities, wanted))
    )


def _candidates(rows: Sequence[Row]) -> list[Candidate]:
    return [
        Candidate(
            RunId(row["id"]),
            row["lane"],
            row["requested_by"],
            ToolId(row["tool_id"]),
            row["limits"]["memory_mib"],
            place,
        )
        for place, row in enumerate(rows)
    ]
