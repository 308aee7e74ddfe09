"""RunStore and WorkerStore in dictionaries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from skriptoteket.adapters.memory.state import State
from skriptoteket.core.errors import NotFound
from skriptoteket.core.identifiers import RunId, WorkerId
from skriptoteket.core.json_values import JsonValue
from skriptoteket.core.runs.models import Artifact, Run, StreamText
from skriptoteket.core.runs.ports import ExpiringRuns, Remembered, RunEvent, RunFilter, RunLogs, Worker


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
            if (before is None or run.id < before)
            and (wanted.requested_by is None or run.requested_by == wanted.requested_by)
            and (wanted.tool_id is None or run.tool_id == wanted.tool_id)
            and (wanted.states is None or run.state in wanted.states)
            and (wanted.contexts is None or run.context in wanted.contexts)
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

    async def remove(self, worker: WorkerId) -> None:
        """Idempotent."""
        self._state.workers.pop(worker, None)
