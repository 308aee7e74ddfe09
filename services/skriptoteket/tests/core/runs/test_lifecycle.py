"""A run moves as the table says and never otherwise, and its times stay in order."""

import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from skriptoteket.core.errors import IllegalMove
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.runs.models import (
    Ended,
    Lane,
    Outcome,
    OutcomeCode,
    Run,
    RunContext,
    RunKind,
    RunState,
    advance,
    finish,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LEGAL = {
    "queued": "starting cancelled timed_out",
    "starting": "queued running failed cancelled lost",
    "running": "collecting queued lost",
    "collecting": "succeeded failed timed_out cancelled queued lost",
    "succeeded": "",
    "failed": "",
    "timed_out": "",
    "cancelled": "",
    "lost": "",
}
ENDINGS = {
    RunState.STARTING: {OutcomeCode.INFRASTRUCTURE, OutcomeCode.CANCELLED, OutcomeCode.LOST},
    RunState.QUEUED: {OutcomeCode.CANCELLED, OutcomeCode.QUEUE_TIMEOUT},
    RunState.RUNNING: {OutcomeCode.LOST},
}


def run_in(state: RunState) -> Run:
    """A run in this state, with the times that it must have."""
    what = (RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.QUEUED, ToolId(uuid.uuid4()))
    run = Run(RunId(uuid.uuid4()), *what, None, None, "h", "urn:u", NOW, "standard@1")
    started = NOW + timedelta(seconds=1) if state in (RunState.RUNNING, RunState.COLLECTING) else None
    return replace(run, state=state, started_at=started, lease_owner=WorkerId("w"))


@pytest.mark.parametrize("name", LEGAL)
def test_every_move_of_the_table_and_no_other(name: str) -> None:
    """Each legal move is made; every other raises and names both states."""
    run, legal = run_in(RunState(name)), {RunState(word) for word in LEGAL[name].split()}
    for to in RunState:
        if to in legal:
            assert advance(run, to, NOW + timedelta(minutes=1)).state is to
            continue
        with pytest.raises(IllegalMove, match=rf"{name}.*{to}"):
            advance(run, to, NOW + timedelta(minutes=1))


@pytest.mark.parametrize("seed", range(20))
def test_times_stay_in_order_on_every_way(seed: int) -> None:
    """Whatever happens and however clocks jump, a run is asked for, started and finished in this order."""
    chance = random.Random(seed)
    run, at = run_in(RunState.QUEUED), NOW
    for _ in range(40):
        if run.state.terminal:
            break
        at += timedelta(seconds=chance.uniform(-600, 600))
        run = advance(run, RunState(chance.choice(LEGAL[run.state].split())), at)
        times = [time for time in (run.requested_at, run.started_at, run.finished_at) if time is not None]
        assert times == sorted(times)
        assert (run.finished_at is not None) == run.state.terminal
        assert run.state is not RunState.QUEUED or (run.started_at, run.lease_owner) == (None, None)


@pytest.mark.parametrize("state", ENDINGS)
def test_an_outcome_fits_the_state_that_it_ends(state: RunState) -> None:
    """A run that did not get far ends in few ways; whoever writes another outcome is refused."""
    legal = set()
    for code in OutcomeCode:
        try:
            legal.add(finish(run_in(state), Ended(Outcome(code)), NOW).outcome)
        except IllegalMove:
            continue

    assert legal >= ENDINGS[state]
    assert OutcomeCode.OK not in legal
