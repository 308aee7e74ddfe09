"""RunStore and WorkerStore in dictionaries."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Artifact, Run, RunContext, RunState, StreamText
from skriptoteket.core.runs.ports.records import ExpiringRuns, Remembered, RunEvent, RunFilter, RunLogs, Upkeep
from skriptoteket.core.runs.ports.workers import Worker
from skriptoteket.core.runs.sight import RunAccess


class MemoryRunStore:
    """Runs with their artifacts, logs, events and idempotency keys."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, run: Run) -> None:
        """Insert."""
        self._state.runs[run.id] = run

    async def get(self, run_id: RunId) -> Run:
        """Raises ``NotFound``."""
        if run_id not in self._state.runs:
            raise NotFound("run", run_id)
        return self._state.runs[run_id]

    async def page(self, wanted: RunFilter, limit: int, before: RunId | None = None) -> Sequence[Run]:
        """Newest first."""
        found = [
            run
            for run in self._state.runs.values()
            if run.deleted_at is None
            and (before is None or run.id < before)
            and (wanted.requested_by is None or run.requested_by == wanted.requested_by)
            and (wanted.tool_id is None or run.tool_id == wanted.tool_id)
            and (wanted.states is None or run.state in wanted.states)
            and (wanted.contexts is None or run.context in wanted.contexts)
            and (wanted.outcomes is None or run.outcome in wanted.outcomes)
            and (not wanted.shared or run.shared_at is not None)
            and wanted.behaviour_hash in (None, run.behaviour_hash)
            and (wanted.after is None or run.requested_at >= wanted.after)
            and (wanted.until is None or run.requested_at < wanted.until)
        ]
        return sorted(found, key=lambda run: run.id, reverse=True)[:limit]

    async def artifacts(self, run_id: RunId) -> Sequence[Artifact]:
        """In the order in which they were collected."""
        return self._state.artifacts.get(run_id, ())

    async def logs(self, run_id: RunId) -> RunLogs:
        """Empty before the end."""
        return self._state.logs.get(run_id, RunLogs(StreamText(), StreamText()))

    async def append_events(
        self, run_id: RunId, events: Sequence[tuple[str, Mapping[str, JsonValue]]], at: datetime
    ) -> None:
        """Add to the live view."""
        known = self._state.events.get(run_id, ())
        new = [RunEvent(len(known) + place, kind, dict(data), at) for place, (kind, data) in enumerate(events, start=1)]
        self._state.events[run_id] = (*known, *new)

    async def events(self, run_id: RunId, after: int = 0, limit: int = 500) -> Sequence[RunEvent]:
        """Behind ``after``, in order."""
        return [event for event in self._state.events.get(run_id, ()) if event.id > after][:limit]

    async def remember(self, scope: str, kept: Remembered, now: datetime, until: datetime) -> None:
        """Keep what an idempotency key stands for."""
        self._state.keys[scope] = (kept, until)

    async def remembered(self, scope: str, now: datetime) -> Remembered | None:
        """What the key stands for, while it lives."""
        known = self._state.keys.get(scope)
        return known[0] if known is not None and known[1] > now else None

    async def expiring(self, wanted: ExpiringRuns, limit: int) -> Sequence[Run]:
        """Finished runs with data of this kind that is over, in the order of submission."""
        name = {"results": "result"}.get(wanted.kind, wanted.kind)
        found = [
            run
            for run in self._state.runs.values()
            if run.finished_at is not None
            and run.finished_at < wanted.before
            and getattr(run, f"{name}_expired_at", None) is None
            and (wanted.after is None or run.id > wanted.after)
        ]
        return sorted(found, key=lambda run: run.id)[:limit]

    async def forget_files(self, run_id: RunId) -> None:
        """Keep the artifacts' names, without their blobs."""
        kept = self._state.artifacts.get(run_id, ())
        self._state.artifacts[run_id] = tuple(replace(artifact, blob_key=None) for artifact in kept)

    async def forget_artifacts(self, run_id: RunId) -> None:
        """Their names too."""
        self._state.artifacts.pop(run_id, None)

    async def note_access(self, access: RunAccess) -> None:
        """Append."""
        self._state.accesses[access.id] = access

    async def accesses(self, run_id: RunId) -> Sequence[RunAccess]:
        """Oldest first."""
        return [each for each in self._state.accesses.values() if each.run_id == run_id]

    async def outcomes(self, since: datetime) -> Mapping[str, int]:
        """By outcome."""
        ended = [run for run in self._state.runs.values() if run.finished_at is not None and run.finished_at >= since]
        return Counter(run.outcome.value for run in ended if run.outcome is not None)

    async def outcomes_of_tools(self, tools: Collection[ToolId], since: datetime) -> Mapping[ToolId, Mapping[str, int]]:
        """By tool, then by outcome, without trials."""
        found: dict[ToolId, Counter[str]] = {}
        for run in self._state.runs.values():
            real = run.tool_id in tools and run.context is RunContext.PRODUCTION
            if real and run.outcome is not None and run.finished_at is not None and run.finished_at >= since:
                found.setdefault(run.tool_id, Counter())[run.outcome] += 1
        return found

    async def tried(self, tool_id: ToolId, behaviour_hash: str) -> bool:
        """Whether a sandbox run of exactly this behaviour succeeded."""
        wanted = (tool_id, behaviour_hash, RunContext.SANDBOX, RunState.SUCCEEDED)
        return any(
            (run.tool_id, run.behaviour_hash, run.context, run.state) == wanted and not run.check_only
            for run in self._state.runs.values()
        )

    async def upkeep(self, name: str) -> Upkeep | None:
        """How a duty last went."""
        return self._state.upkeep.get(name)

    async def keep_upkeep(self, done: Upkeep) -> None:
        """Insert or replace."""
        self._state.upkeep[done.name] = done

    async def forget_logs(self, run_id: RunId) -> None:
        """Idempotent."""
        self._state.logs.pop(run_id, None)

    async def forget_live_view(self, before: datetime, now: datetime) -> None:
        """Remove events of runs that ended earlier, and idempotency keys whose time is over."""
        for run in self._state.runs.values():
            if run.finished_at is not None and run.finished_at < before:
                self._state.events.pop(run.id, None)
        for scope in [scope for scope, (_, until) in self._state.keys.items() if until < now]:
            del self._state.keys[scope]

    async def remove(self, run_id: RunId) -> None:
        """The row and everything that belongs to it."""
        for kept in (self._state.runs, self._state.artifacts, self._state.logs, self._state.events):
            kept.pop(run_id, None)

    async def update(self, run: Run) -> None:
        """Replace everything but the lease. Raises ``NotFound``."""
        before = await self.get(run.id)
        self._state.runs[run.id] = replace(
            run, attempt=before.attempt, tries=before.tries, lease_owner=before.lease_owner
        )


class MemoryWorkerStore:
    """Workers and when they were last alive."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def save(self, worker: Worker) -> None:
        """Insert or replace."""
        self._state.workers[worker.id] = worker

    async def all(self) -> Sequence[Worker]:
        """Every record, live or not."""
        return list(self._state.workers.values())

    async def ask_to_drain(self, worker: WorkerId, at: datetime) -> bool:
        """Beside the worker's own record."""
        if worker not in self._state.workers:
            return False
        self._state.drains[worker] = at
        return True

    async def asked_to_drain(self, worker: WorkerId) -> bool:
        """Whether somebody asked."""
        return worker in self._state.drains

    async def remove(self, worker: WorkerId) -> None:
        """Idempotent."""
        self._state.workers.pop(worker, None)
        self._state.drains.pop(worker, None)
