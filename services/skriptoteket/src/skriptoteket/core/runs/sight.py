"""Who sees how much of a run: its requester all of it, others what is shared or what they gave a reason for."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from skriptoteket.core.errors import Expired, NotFound
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.roles import REVIEW, VIEW_ANY_RUN, Actor
from skriptoteket.core.runs.models import Run, RunContext

ACCESS_TIME = timedelta(minutes=30)


class Sight(StrEnum):
    """``OUTCOME``: how it ended, author detail and logs; no inputs, results or files."""

    OWN = "own"
    REASON = "reason"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class RunAccess:
    """Somebody opened another person's run, and said why. The owner sees it on the run."""

    id: UUID
    run_id: RunId
    by: str
    at: datetime
    until: datetime
    reason: str


def sight_of(
    run: Run, viewer: Actor, maintainers: frozenset[str], accesses: tuple[RunAccess, ...], now: datetime
) -> Sight:
    """How much the viewer sees.

    Raises:
        NotFound: nothing.
        Expired: its requester removed it.
    """
    if run.requested_by == viewer.subject:
        if run.deleted_at is not None:
            raise Expired("run", run.id, run.deleted_at.date().isoformat())
        return Sight.OWN
    if run.deleted_at is None:
        opened = any(each.by == viewer.subject and each.until > now for each in accesses)
        if opened and viewer.holds(VIEW_ANY_RUN):
            return Sight.REASON
        trial = run.context is RunContext.SANDBOX
        writes = viewer.may_write(maintainers)
        if (run.shared_at is not None and writes) or (trial and (writes or viewer.holds(REVIEW))):
            return Sight.OUTCOME
    raise NotFound("run", run.id)


def outcome_only(run: Run) -> Run:
    """Without what came in and what came out."""
    return replace(
        run,
        files=(),
        values={},
        settings={},
        action=None,
        session_state=None,
        outputs=(),
        next_actions=(),
        state_out=None,
    )
