"""The table of runs seen as a queue: claims with leases and fencing, and a fair order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.runs.models import Claim, Ended, Run, RunState


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """How much waits in a lane, and since when."""

    lane: str
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What a worker may take now. ``lane_weights`` and the two caps shape the fair order; ``isolation_waived`` is for a
    worker that was started to isolate nothing; what waits in the lanes of ``held_back`` is passed over."""

    environments: frozenset[str]
    capabilities: Mapping[str, str]
    memory_mib: int
    max_active_per_user: int = 3
    lane_weights: Mapping[str, int] | None = None
    isolation_waived: bool = False
    held_back: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A waiting run, as much of it as the order needs. ``order`` grows with the time of submission."""

    run_id: RunId
    lane: str
    user: str
    tool_id: ToolId
    memory_mib: int
    order: int


@dataclass(frozen=True, slots=True)
class Timing:
    """When a run started and ended; ``finished_at`` is ``None`` while it lives."""

    tool_id: ToolId
    lane: str
    started_at: datetime
    finished_at: datetime | None


class RunQueue(Protocol):
    """The table of runs, seen as a queue with leases and fencing.

    Lease time is a clock that no one can set (the host's boot clock with SQLite, the server's with PostgreSQL); the
    adapter reads it.
    Every method is called inside a write transaction of the unit of work and does not end it. A write with a stale
    claim raises
    ``Fenced``.
    """

    async def claim(self, worker: WorkerId, rules: ClaimRules, now: datetime, lease: timedelta) -> Run | None:
        """The next run in fair order, now ``starting``, with ``attempt`` raised by one and leased to the worker; or
        ``None``."""
        ...

    async def renew(self, claims: Collection[Claim], lease: timedelta) -> Collection[Claim]:
        """Prolong leases; the answer is the claims that are still held. What is missing from it is fenced."""
        ...

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
        """Make one legal move that is not terminal. ``QUEUED`` gives an unstarted run back without charging a try."""
        ...

    async def finish(self, claim: Claim, ended: Ended, now: datetime) -> Run:
        """Write outcome, result, logs and artifact rows and the terminal state, together. Legal from ``starting`` and
        ``collecting``."""
        ...

    async def cancel_requested(self, claims: Collection[Claim]) -> Collection[Claim]:
        """Those of the claims whose run somebody wants cancelled."""
        ...

    async def orphans(self, dead: Collection[WorkerId] = ()) -> Sequence[Run]:
        """Runs in starting, running or collecting whose lease is over (or belongs to another boot), or whose worker is
        in ``dead``."""
        ...

    async def rescue(self, run: Run, max_tries: int, now: datetime) -> Run:
        """End an orphan as ``lost``, or requeue it when it is idempotent and has tries left. Raises ``Fenced`` if it
        came alive."""
        ...

    async def overdue(self, now: datetime) -> Sequence[Run]:
        """End every queued run past its ``queue_deadline`` as timed_out/queue_timeout; the answer is the ended runs."""
        ...

    async def request_cancel(self, run_id: RunId, reason: str, now: datetime) -> Run:
        """Cancel a queued run at once, flag a starting or running one. Raises ``NotFound`` and ``Conflict``
        (wrong_state)."""
        ...

    async def retire(self, tool_id: ToolId, keep: VersionId | None, now: datetime) -> int:
        """Cancel waiting production, action and scheduled runs of the tool, except those of the version ``keep``."""
        ...

    async def depth(self, requested_by: str | None = None) -> int:
        """How many runs wait, of everybody or of one subject."""
        ...

    async def line(self) -> Sequence[Candidate]:
        """What waits, in the order in which it will start."""
        ...

    async def timings(self, limit: int) -> Sequence[Timing]:
        """The runs that were submitted last, of those that started."""
        ...

    async def oldest_waiting(self) -> datetime | None: ...

    async def lanes(self) -> Sequence[LaneLoad]:
        """Lanes in which something waits."""
        ...
