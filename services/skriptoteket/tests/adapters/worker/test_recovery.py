"""However often and whenever a worker is killed, every run ends in the truth and nothing is left on the host."""

import asyncio
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skriptoteket.adapters.sandbox.host.cgroups import choose_cgroups
from skriptoteket.core.runs.models import Limits, OutcomeCode, RunState

if TYPE_CHECKING:
    from tests.adapters.worker.conftest import Library

pytestmark = pytest.mark.needs_bwrap

_PROGRAM = Path(__file__).with_name("worker_program.py")
_KILLS = int(os.environ.get("SKRIPTOTEKET_PROOF_KILLS", "3"))
_SCRIPT = (
    "import time\ndef run_tool(i, o):\n    open(o + '/a', 'w').write('x' * 1000)\n    time.sleep(0.3)\n    return 'x'\n"
)


def _members(key: str) -> list[str]:
    return [label for label in choose_cgroups().leftovers() if label.startswith(f"{key}-")]


async def test_random_kills_lose_nothing(library: "Library") -> None:
    """Killed at random moments, workers leave runs that end as done or lost, one of each attempt, and an empty host."""
    chance = random.Random(20)
    runs = [await library.submit(_SCRIPT, limits=Limits(wall_seconds=20), idempotent=n % 2 == 0) for n in range(8)]
    log = (library.folder / "worker.log").open("wb")
    command = [sys.executable, str(_PROGRAM), str(library.folder)]
    for _ in range(_KILLS):
        worker = subprocess.Popen(command, stdout=log, stderr=log)
        await _registered(library, worker)
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        worker.kill()
        worker.wait()
    last = subprocess.Popen(command, stdout=log, stderr=log)
    ended = [await _ended(library, run_id, 120.0) for run_id in runs]
    await _registered(library, last)
    last.send_signal(signal.SIGTERM)
    await asyncio.to_thread(last.wait, 90)
    log.close()

    assert set(ended) <= {(RunState.SUCCEEDED, OutcomeCode.OK), (RunState.LOST, OutcomeCode.LOST)}
    state = library.folder / "state"
    assert [one.name for one in (state / "sandboxes").glob("*")] == []
    assert _members(hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:8]) == []


async def _registered(library: "Library", worker: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        async with library.uow.read() as unit:
            if any(one.pid == worker.pid for one in await unit.workers.all()):
                return
        await asyncio.sleep(0.02)
    raise AssertionError("the worker did not register")


async def _ended(library: "Library", run_id: object, seconds: float) -> tuple[RunState, OutcomeCode | None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        run = await library.run(run_id)  # type: ignore[arg-type]  # an id that submit gave
        if run.state.terminal:
            return run.state, run.outcome
        await asyncio.sleep(0.05)
    raise AssertionError(f"run {run_id} did not end")
