"""The worker as a process: it executes, is one per state directory, drains, and dies without leaving a trace."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from skriptoteket.adapters.sandbox.host.cgroups import choose_cgroups
from skriptoteket.adapters.sandbox.host.processes import start_time
from skriptoteket.core.identifiers import RunId
from skriptoteket.core.runs.models import OutcomeCode, Run, RunState

if TYPE_CHECKING:
    from tests.adapters.worker.conftest import Library

pytestmark = pytest.mark.needs_bwrap

_PROGRAM = Path(__file__).with_name("worker_program.py")
_WAIT = "import time\ndef run_tool(i, o):\n    open(o + '/begun', 'w').close()\n    time.sleep(300)\n"
_ANSWER = "def run_tool(i, o):\n    open(o + '/a.txt', 'w').write('x')\n    return '<p>done</p>'\n"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(params=["--warm", "--cold"])
async def start(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Start]:
    """Start a worker with each runner on the library; what is still alive at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def worker(*options: str) -> "subprocess.Popen[bytes]":
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        command = [sys.executable, str(_PROGRAM), str(tmp_path), request.param, *options]
        started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        log.close()
        return started[-1]

    yield worker
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < until, "did not happen in time"
        await asyncio.sleep(0.02)


async def _terminal(library: "Library", run_id: RunId) -> Run:
    async def ended() -> bool:
        return (await library.run(run_id)).state.terminal

    await _until(ended)
    return await library.run(run_id)


async def _running(library: "Library", run_id: RunId) -> None:
    async def runs() -> bool:
        return (await library.run(run_id)).state is RunState.RUNNING

    await _until(runs)


def _sandbox_processes(library: "Library") -> dict[int, int | None]:
    found: list[int] = []
    for note in (library.folder / "state" / "sandboxes").glob("*.json"):
        first = int(json.loads(note.read_text())["pid"])
        found += [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
    return {pid: start_time(pid) for pid in found}


async def _all_dead(processes: dict[int, int | None]) -> None:
    async def gone() -> bool:
        return not [pid for pid, started in processes.items() if started is not None and start_time(pid) == started]

    await _until(gone, 10.0)


async def _nothing_left(library: "Library", run_id: RunId, processes: dict[int, int | None]) -> None:
    async def gone() -> bool:
        alive = [pid for pid, started in processes.items() if started is not None and start_time(pid) == started]
        groups = [label for label in choose_cgroups().leftovers() if str(run_id) in label]
        return not alive and not groups

    await _until(gone, 10.0)
    assert list((library.folder / "state" / "sandboxes").glob("*")) == []


async def test_a_queued_run_is_executed(library: "Library", start: Start) -> None:
    """A run that waits is executed in the sandbox and recorded with its result, files, logs and isolation."""
    run_id = await library.submit(_ANSWER)
    process = start("--once")
    runner = "zygote" if "--warm" in str(process.args) else "bubblewrap"

    run = await _terminal(library, run_id)

    assert process.wait(90) == 0
    assert (run.state, run.outcome, run.runner) == (RunState.SUCCEEDED, OutcomeCode.OK, runner)
    assert run.outputs[0]["html"] == "<p>done</p>"
    assert run.isolation["network_isolation"] == "hard"
    async with library.uow.read() as unit:
        assert [one.path for one in await unit.runs.artifacts(run_id)] == ["a.txt"]
        assert [one.kind for one in await unit.runs.events(run_id)][-1] == "done"
        assert list(await unit.workers.all()) == []


@pytest.mark.parametrize(
    ("idempotent", "state"), [(False, RunState.LOST), (True, RunState.QUEUED)], ids=["lost", "waits again"]
)
async def test_kill_minus_nine_leaves_the_truth(
    library: "Library", start: Start, idempotent: bool, state: RunState
) -> None:
    """A worker killed in the middle of a run leaves no process; its successor at once gives the run an honest state."""
    run_id = await library.submit(_WAIT, idempotent=idempotent)
    first = start()
    await _running(library, run_id)
    processes = _sandbox_processes(library)
    assert len(processes) >= 2

    first.kill()
    first.wait()
    await _all_dead(processes)
    second = start()

    async def settled() -> bool:
        run = await library.run(run_id)
        return run.state is state or (idempotent and run.attempt == 2)

    await _until(settled, 60.0)
    if idempotent:
        await _running(library, run_id)
        second.send_signal(signal.SIGTERM)
        assert (await _terminal(library, run_id)).outcome is OutcomeCode.CANCELLED
    else:
        second.send_signal(signal.SIGTERM)
        assert (await library.run(run_id)).outcome is OutcomeCode.LOST
    assert second.wait(90) == 0
    await _nothing_left(library, run_id, processes)


async def test_only_one_worker_per_state_directory(library: "Library", start: Start) -> None:
    """A second worker in the same state directory ends with a message that names the first."""
    run_id = await library.submit(_WAIT)
    first = start()
    await _running(library, run_id)
    second = start()

    assert second.wait(90) != 0
    assert f"process {first.pid}" in (library.folder / "worker-1.log").read_text()
    assert (await library.run(run_id)).state is RunState.RUNNING


async def test_cancel_reaches_a_running_script_within_a_second(library: "Library", start: Start) -> None:
    """A running script that somebody cancels is dead within a second."""
    run_id = await library.submit(_WAIT)
    start()
    await _running(library, run_id)
    async with library.uow.write() as unit:
        asked = time.monotonic()
        await unit.queue.request_cancel(run_id, "not needed any more", (await unit.runs.get(run_id)).requested_at)

    run = await _terminal(library, run_id)

    assert run.outcome is OutcomeCode.CANCELLED
    assert time.monotonic() - asked < 1.0


async def test_sigterm_lets_short_runs_finish_and_ends_long_ones(library: "Library", start: Start) -> None:
    """A worker that is told to stop waits for what is nearly done, then cancels the rest, and goes with code 0."""
    run_id = await library.submit(_WAIT)
    process = start()
    await _running(library, run_id)

    process.send_signal(signal.SIGTERM)

    assert process.wait(90) == 0
    run = await library.run(run_id)
    assert (run.state, run.outcome) == (RunState.CANCELLED, OutcomeCode.CANCELLED)


async def test_tampered_source_never_runs(library: "Library", start: Start) -> None:
    """A version whose source was changed behind the library's back is refused as an infrastructure failure."""
    run_id = await library.submit(_ANSWER)
    async with library.database.engine.begin() as connection:
        await connection.execute(text("UPDATE tool_versions SET source_code = 'import os'"))
    start("--once")

    run = await _terminal(library, run_id)

    assert run.outcome is OutcomeCode.INFRASTRUCTURE
    assert "the source is not what its hash says" in run.author_detail
