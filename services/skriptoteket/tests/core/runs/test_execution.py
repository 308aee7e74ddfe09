"""A claimed run is executed outside transactions, recorded once, and leaves nothing behind, whatever happens."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import StorageUnavailable
from skriptoteket.core.identifiers import RunId, ToolId, VersionId, WorkerId
from skriptoteket.core.runs.execution import Executor
from skriptoteket.core.runs.models import InputFile, Lane, Limits, OutcomeCode, Run, RunContext, RunKind, RunState
from skriptoteket.core.runs.ports.files import StoredBlob
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.versions.hashing import behaviour_hash, content_hash
from skriptoteket.core.versions.models import Behaviour, ToolVersion, VersionState

_NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_LEASE = timedelta(seconds=30)
_ME = WorkerId("me")
_RULES = ClaimRules(
    environments=frozenset({"standard@1"}),
    capabilities=dict.fromkeys(
        ("network_isolation", "filesystem_isolation", "pid_isolation", "seccomp", "disk_quota", "memory_limit",
         "process_limit"), "hard",
    ),
    memory_mib=4096,
)  # fmt: skip
_OK = {"result": {"contract": 1, "status": "ok", "outputs": [{"kind": "markdown", "markdown": "hello"}]}}


class Bench:
    """Everything an executor needs, and a count of open write transactions."""

    def __init__(self, work: Any, clock: Any) -> None:  # Any: either unit of work, the tests' clock
        self.work = work
        self.sandbox = MemorySandbox()
        self.files = MemoryArtifactStore()
        self.open = 0
        self.executor = Executor(self, self.sandbox, self.files, clock)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:  # Any: either unit
        """Counted as the real one is."""
        self.open += 1
        try:
            async with self.work.read() as unit:
                yield unit
        finally:
            self.open -= 1

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:  # Any: either unit
        """Counted as the real one is."""
        self.open += 1
        try:
            async with self.work.write() as unit:
                yield unit
        finally:
            self.open -= 1

    async def claimed(self, script: Mapping[str, object], *, files: Collection[InputFile] = ()) -> Run:
        """A run of a script for the memory sandbox, claimed by this worker."""
        tool_id, version_id = ToolId(uuid.uuid4()), VersionId(uuid.uuid4())
        behaviour = Behaviour(source_code=json.dumps(script), input_schema=())
        hashes = (content_hash(behaviour), behaviour_hash(behaviour))
        async with self.work.write() as unit:
            await unit.tools.add(Tool(tool_id, f"t-{tool_id.hex}", "T", "", "urn:o", _NOW, _NOW))
            await unit.versions.add(
                ToolVersion(version_id, tool_id, 1, VersionState.ACTIVE, behaviour, *hashes, "urn:o", _NOW)
            )
            await unit.runs.add(
                Run(
                    RunId(uuid.uuid4()), RunKind.PRODUCTION, RunContext.PRODUCTION, Lane.INTERACTIVE, RunState.QUEUED,
                    tool_id, version_id, None, hashes[1], "urn:u", _NOW, "standard@1", Limits(), files=tuple(files),
                )
            )  # fmt: skip
            run: Run | None = await unit.queue.claim(_ME, _RULES, _NOW, _LEASE)
        assert run is not None
        return run


@pytest.fixture
def bench(work: Any, clock: Any) -> Bench:  # Any: either unit of work, the tests' clock
    """An executor over an empty library."""
    return Bench(work, clock)


async def test_a_run_is_recorded_with_everything_that_came_out(bench: Bench) -> None:
    """Result, files, logs and usage are written together; the sandbox is gone, and the inputs are deleted."""
    bench.files.blobs["runs/x/inputs/0"] = b"a,b"
    given = InputFile("file", "x.csv", "x.csv", 3, "0" * 64, "runs/x/inputs/0")
    run = await bench.claimed({**_OK, "print": "hi\x00", "stderr": "careful", "files": {"a.txt": "A"}}, files=[given])

    done = await bench.executor.execute(run)

    assert done is not None
    assert (done.state, done.outcome, done.runner) == (RunState.SUCCEEDED, OutcomeCode.OK, "memory")
    assert done.outputs[0]["kind"] == "markdown"
    async with bench.work.read() as unit:
        logs = await unit.runs.logs(run.id)
        assert (logs.stdout.text, logs.stderr.text) == ("hi\ufffd", "careful")
        (artifact,) = await unit.runs.artifacts(run.id)
    assert (artifact.path, artifact.artifact_id, bench.files.blobs[artifact.blob_key]) == ("a.txt", "a_txt", b"A")
    assert "runs/x/inputs/0" not in bench.files.blobs
    assert bench.sandbox.live == {}


async def test_no_transaction_is_open_while_a_script_runs(bench: Bench) -> None:
    """While the sandbox works nobody holds the database."""
    run = await bench.claimed({**_OK, "wait": True})
    task = asyncio.create_task(bench.executor.execute(run))
    while bench.sandbox.live.get(run.id) is None or bench.open:
        await asyncio.sleep(0)
    async with bench.work.read() as unit:
        state = (await unit.runs.get(run.id)).state

    assert (bench.open, state) == (0, RunState.RUNNING)
    await bench.executor.stop(run.id, "cancelled")
    assert (await task).outcome is OutcomeCode.CANCELLED  # type: ignore[union-attr]  # the lease was not lost


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ({"fail": "no bubblewrap"}, OutcomeCode.INFRASTRUCTURE),
        ({}, OutcomeCode.CONTRACT_VIOLATION),
        ({"exit": 3}, OutcomeCode.SCRIPT_ERROR),
        ({"signal": 11}, OutcomeCode.SCRIPT_ERROR),
        ({**_OK, "exit": 1}, OutcomeCode.SCRIPT_ERROR),
        ({"result": {"contract": 2, "status": "ok"}}, OutcomeCode.CONTRACT_VIOLATION),
        ({"result": {"contract": 1, "status": "refused", "error": {"message": "no"}}}, OutcomeCode.INPUT_REFUSED),
        (
            {"result": {"contract": 1, "status": "error", "error": {"type": "MemoryError", "message": ""}}, "exit": 1},
            OutcomeCode.OUT_OF_MEMORY,
        ),
        (
            {"result": {"contract": 1, "status": "error", "error": {"type": "OSError", "message": "", "errno": 28}}},
            OutcomeCode.DISK_LIMIT,
        ),
    ],
)
async def test_every_end_is_recorded_honestly(bench: Bench, script: Mapping[str, object], outcome: OutcomeCode) -> None:
    """Each way of ending reaches the record, and what did not succeed shows no outputs."""
    done = await bench.executor.execute(await bench.claimed(script))

    assert done is not None
    assert (done.outcome, done.state.terminal, done.outputs) == (outcome, True, ())
    assert bench.sandbox.live == {}


async def test_a_run_that_is_stopped_before_it_starts_never_starts(bench: Bench) -> None:
    """A drain gives an unstarted run back without charging a try; a cancel ends it."""
    first, second = await bench.claimed(_OK), await bench.claimed(_OK)
    await bench.executor.stop(first.id, "drain")
    await bench.executor.stop(second.id, "cancelled")

    returned, ended = await bench.executor.execute(first), await bench.executor.execute(second)

    assert returned is not None and ended is not None  # noqa: PT018 - both leases are held
    assert (returned.state, returned.tries) == (RunState.QUEUED, 0)
    assert (ended.state, ended.started_at) == (RunState.CANCELLED, None)


async def test_a_fenced_worker_writes_nothing(bench: Bench) -> None:
    """When somebody else has the run by now, the sandbox is destroyed and the record is left as it is."""
    run = await bench.claimed({**_OK, "wait": True})
    task = asyncio.create_task(bench.executor.execute(run))
    while run.id not in bench.sandbox.live:
        await asyncio.sleep(0)
    async with bench.work.write() as unit:
        (orphan,) = await unit.queue.orphans([_ME])
        await unit.queue.rescue(orphan, 2, _NOW)
    await bench.executor.stop(run.id, "fenced")

    assert await task is None
    async with bench.work.read() as unit:
        assert (await unit.runs.get(run.id)).state is RunState.LOST
    assert bench.sandbox.live == {}


async def test_storage_that_is_down_ends_the_run_as_ours(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """When files cannot be kept after several tries, the run fails as infrastructure and not as the script's error."""

    async def down(key: str, chunks: AsyncIterator[bytes]) -> StoredBlob:
        raise StorageUnavailable("write")

    monkeypatch.setattr(bench.files, "write", down)
    monkeypatch.setattr("skriptoteket.core.runs.execution._FIRST_PAUSE_SECONDS", 0.0)
    done = await bench.executor.execute(await bench.claimed({**_OK, "files": {"a": "b"}}))

    assert done is not None
    assert done.outcome is OutcomeCode.INFRASTRUCTURE


async def test_the_live_view_tells_states_progress_and_logs_in_order(bench: Bench) -> None:
    """A page that follows a run sees it running, printing, collecting and done."""
    script = {**_OK, "print": "hello", "progress": [[50, "half"]]}
    run = await bench.claimed(script)
    await bench.executor.execute(run)

    async with bench.work.read() as unit:
        told = [(event.kind, dict(event.data)) for event in await unit.runs.events(run.id)]
    assert [kind for kind, _ in told] == ["state", "log", "progress", "state", "done"]
    assert told[1][1] == {"stream": "stdout", "offset": 0, "text": "hello"}
    assert told[2][1] == {"percent": 50, "message": "half"}
    assert told[-1][1] == {"state": "succeeded", "outcome": "ok"}
