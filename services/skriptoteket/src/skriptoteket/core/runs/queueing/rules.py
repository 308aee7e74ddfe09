"""What every queue does to a run, whatever it is kept in."""

from dataclasses import replace
from datetime import datetime

from skriptoteket.core.runs.models import (
    Ended,
    Outcome,
    OutcomeCode,
    Run,
    RunState,
    advance,
    finish,
)


def ended_waiting(run: Run, code: OutcomeCode, now: datetime, message: str = "") -> Run:
    """A waiting run that ends without having started."""
    return end_of_inputs(finish(run, Ended(Outcome(code, message)), now), now)


def rescued(run: Run, max_tries: int, now: datetime) -> Run:
    """An orphan: queued again when it is idempotent and has tries left, otherwise lost."""
    if run.idempotent and run.tries < max_tries and not run.cancel_requested:
        return advance(run, RunState.QUEUED, now)
    return end_of_inputs(finish(run, Ended(Outcome(OutcomeCode.LOST)), now), now)


def end_of_inputs(run: Run, now: datetime) -> Run:
    """A terminal run without its uploads, unless somebody goes on with them: their blobs are deleted when it ends."""
    if run.keeps_inputs:
        return run
    files = tuple(replace(file, blob_key=None) for file in run.files)
    return replace(run, files=files, inputs_expired_at=now)
