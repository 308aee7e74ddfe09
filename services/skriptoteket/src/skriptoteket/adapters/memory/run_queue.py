"""RunQueue in dictionaries; time is the process's monotonic clock."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import Conflict, Fenced, NotFound
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.runs.models import ACTIVE, Claim, Ended, OutcomeCode, Run, RunContext, RunState, advance, finish
from skriptoteket.core.runs.ports.queue import Candidate, ClaimRules, LaneLoad, Timing
from skriptoteket.core.runs.ports.records import RunLogs
from skriptoteket.core.runs.queueing.fairness import RECENT_STARTS, Load, Occupied, next_run, start_order
from skriptoteket.core.runs.queueing.matching import missing, requirements_of
from skriptoteket.core.runs.queueing.rules import end_of_inputs, ended_waiting, rescued


class MemoryRunQueue:
    """The runs of a state, seen as a queue."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def claim(self, worker: WorkerId, rules: ClaimRules, now: datetime, lease: timedelta) -> Run | None:
        """The next run in fair order, leased to the worker."""
        waiting = [run for run in self._waiting() if _fits(run, rules)]
        chosen = next_run(_candidates(waiting), self._load(rules))
        if chosen is None:
            return None
        run = self._state.runs[chosen.run_id]
        claimed = replace(
            advance(run, RunState.STARTING, now), attempt=run.attempt + 1, tries=run.tries + 1, lease_owner=worker
        )
        self._state.leases[run.id] = time.monotonic() + lease.total_seconds()
        self._state.claimed[run.id] = max(self._state.claimed.values(), default=0) + 1
        return self._keep(claimed)

    async def renew(self, claims: Collection[Claim], lease: timedelta) -> Collection[Claim]:
        """Prolong leases; the answer is what is still held."""
        held = [claim for claim in claims if self._held(claim) is not None]
        for claim in held:
            self._state.leases[claim.run_id] = time.monotonic() + lease.total_seconds()
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
        run = advance(self._claimed(claim), to, now)
        if to is RunState.QUEUED:
            run = replace(run, tries=max(0, run.tries - 1))
        return self._keep(
            replace(
                run,
                runner=run.runner if runner is None else runner,
                isolation=run.isolation if isolation is None else isolation,
                environment_digest=run.environment_digest if environment_digest is None else environment_digest,
            )
        )

    async def finish(self, claim: Claim, ended: Ended, now: datetime) -> Run:
        """Outcome, results and terminal state, together."""
        run = self._keep(end_of_inputs(finish(self._claimed(claim), ended, now), now))
        self._state.artifacts[run.id] = ended.artifacts
        self._state.logs[run.id] = RunLogs(ended.stdout, ended.stderr)
        return run

    async def cancel_requested(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Those whose run somebody wants cancelled."""
        return [claim for claim in claims if self._state.runs[claim.run_id].cancel_requested]

    async def orphans(self, dead: Collection[WorkerId] = ()) -> Sequence[Run]:
        """Runs in progress that nobody keeps alive."""
        now = time.monotonic()
        return [
            run
            for run in sorted(self._state.runs.values(), key=lambda each: each.id)
            if run.state in ACTIVE
            and (run.lease_owner is None or run.lease_owner in dead or self._state.leases.get(run.id, 0) < now)
        ]

    async def rescue(self, run: Run, max_tries: int, now: datetime) -> Run:
        """End an orphan as lost, or requeue it."""
        found = self._state.runs.get(run.id)
        if found is None or found.attempt != run.attempt or found.state not in ACTIVE:
            raise Fenced(run.id, run.attempt)
        return self._keep(rescued(found, max_tries, now))

    async def overdue(self, now: datetime) -> Sequence[Run]:
        """End what waited too long."""
        late = [run for run in self._waiting() if run.queue_deadline is not None and run.queue_deadline < now]
        return [self._keep(ended_waiting(run, OutcomeCode.QUEUE_TIMEOUT, now)) for run in late]

    async def request_cancel(self, run_id: RunId, reason: str, now: datetime) -> Run:
        """Cancel at once, or flag."""
        run = self._state.runs.get(run_id)
        if run is None:
            raise NotFound("run", run_id)
        if run.state is RunState.QUEUED:
            return self._keep(ended_waiting(replace(run, cancel_reason=reason), OutcomeCode.CANCELLED, now))
        if run.state in (RunState.STARTING, RunState.RUNNING):
            return self._keep(replace(run, cancel_requested=True, cancel_reason=run.cancel_reason or reason))
        raise Conflict("wrong_state", f"The run is {run.state} and cannot be cancelled.", {"state": run.state})

    async def retire(self, tool_id: ToolId, keep: VersionId | None, now: datetime) -> int:
        """Cancel waiting runs of versions that are not active any more."""
        gone = [
            run
            for run in self._waiting()
            if run.tool_id == tool_id
            and run.context is RunContext.PRODUCTION
            and (keep is None or run.version_id != keep)
        ]
        text = "Cancelled: the tool was changed or taken away while this run was waiting."
        for run in gone:
            retired = replace(run, cancel_reason="version_retired")
            self._keep(ended_waiting(retired, OutcomeCode.CANCELLED, now, text))
        return len(gone)

    async def depth(self, requested_by: str | None = None) -> int:
        """How many runs wait."""
        return sum(requested_by is None or run.requested_by == requested_by for run in self._waiting())

    async def line(self) -> Sequence[Candidate]:
        """What waits, in the order in which it will start."""
        return start_order(_candidates(self._waiting()), self._load(None))

    async def timings(self, limit: int) -> Sequence[Timing]:
        """The runs that were submitted last, of those that started."""
        newest = sorted(self._state.runs.values(), key=lambda run: run.id, reverse=True)
        started = [
            Timing(run.tool_id, run.lane, run.started_at, run.finished_at)
            for run in newest
            if run.started_at is not None
        ]
        return started[:limit]

    async def oldest_waiting(self) -> datetime | None:
        """When the oldest waiting run was submitted."""
        return min((run.requested_at for run in self._waiting()), default=None)

    async def lanes(self) -> Sequence[LaneLoad]:
        """Lanes in which something waits."""
        found: dict[str, list[datetime]] = {}
        for run in self._waiting():
            found.setdefault(run.lane, []).append(run.requested_at)
        return [LaneLoad(lane, len(times), min(times)) for lane, times in found.items()]

    def _waiting(self) -> list[Run]:
        return sorted(
            (run for run in self._state.runs.values() if run.state is RunState.QUEUED), key=lambda run: run.id
        )

    def _load(self, rules: ClaimRules | None) -> Load:
        runs = self._state.runs
        started = sorted(self._state.claimed.items(), key=lambda pair: pair[1])
        load = Load(
            active=[
                Occupied(run.requested_by, run.tool_id, run.limits.memory_mib)
                for run in runs.values()
                if run.state in ACTIVE
            ],
            recent=[runs[run_id].lane for run_id, _ in started[-RECENT_STARTS:]],
            served={runs[run_id].requested_by: place for run_id, place in started},
            max_parallel={
                tool.id: tool.max_parallel for tool in self._state.tools.values() if tool.max_parallel is not None
            },
        )
        if rules is None:
            return load
        return replace(load, max_active_per_user=rules.max_active_per_user, weights=rules.lane_weights or load.weights)

    def _held(self, claim: Claim) -> Run | None:
        run = self._state.runs.get(claim.run_id)
        return run if run is not None and run.state in ACTIVE and run.claim == claim else None

    def _claimed(self, claim: Claim) -> Run:
        run = self._held(claim)
        if run is None:
            raise Fenced(claim.run_id, claim.attempt)
        return run

    def _keep(self, run: Run) -> Run:
        self._state.runs[run.id] = run
        return run


def _fits(run: Run, rules: ClaimRules) -> bool:
    return (
        run.lane not in rules.held_back
        and run.environment in rules.environments
        and run.limits.memory_mib <= rules.memory_mib
        and (rules.isolation_waived or not missing(rules.capabilities, requirements_of(run.requirements)))
    )


def _candidates(runs: Sequence[Run]) -> list[Candidate]:
    return [
        Candidate(run.id, run.lane, run.requested_by, run.tool_id, run.limits.memory_mib, place)
        for place, run in enumerate(runs)
    ]
