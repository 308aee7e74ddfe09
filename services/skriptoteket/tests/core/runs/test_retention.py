"""Old data goes class by class; what is active is never touched."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from skriptoteket.adapters.memory.artifacts import MemoryArtifactStore
from skriptoteket.core.catalog.models import Tool
from skriptoteket.core.errors import NotFound, StorageUnavailable
from skriptoteket.core.identifiers import RunId, ToolId, WorkerId
from skriptoteket.core.runs.models import (
    Artifact,
    Ended,
    InputFile,
    Lane,
    Outcome,
    OutcomeCode,
    Run,
    RunContext,
    RunKind,
    RunState,
    StreamText,
)
from skriptoteket.core.runs.ports.queue import ClaimRules
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS
from skriptoteket.core.runs.retention import KeepingTimes, Retention


class House:
    """A library with files, and runs that end."""

    def __init__(self, work: Any, clock: Any) -> None:
        self.work, self.clock, self.files = work, clock, MemoryArtifactStore()
        self.retention = Retention(work, self.files, clock, KeepingTimes())
        self.tool = ToolId(uuid4())

    def new_id(self) -> RunId:
        """A UUIDv7 of the test's time."""
        return RunId(
            UUID(int=(int(self.clock.now().timestamp() * 1000) << 80) | (7 << 76) | (uuid4().int & (1 << 70) - 1))
        )

    async def run(self, *, ended: bool = True) -> RunId:
        """A sandbox run with an upload; ended with a file, a log and a result."""
        run_id, now = self.new_id(), self.clock.now()
        keys = f"runs/{run_id}/inputs/0", f"runs/{run_id}/1/artifacts/0"
        for key in keys:
            self.files.blobs[key] = b"x"
        file = InputFile("f", "a", "a", 1, "0" * 64, keys[0])
        run = Run(run_id, RunKind.SANDBOX, RunContext.SANDBOX, Lane.SANDBOX, RunState.QUEUED, self.tool, None, None, "h", "u", now, "standard@1", files=(file,), values={"a": 1})  # fmt: skip  # noqa: E501 - one row
        async with self.work.write() as unit:
            await unit.runs.add(run)
        if not ended:
            return run_id
        async with self.work.write() as unit:
            rules = ClaimRules(frozenset({"standard@1"}), DEFAULT_REQUIREMENTS, 4096)
            claimed = await unit.queue.claim(WorkerId("w"), rules, now, timedelta(minutes=1))
            for state in (RunState.RUNNING, RunState.COLLECTING):
                await unit.queue.move(claimed.claim, state, now)
            artifact = Artifact("a", "a", 1, "0" * 64, "text/plain", keys[1])
            note = {"kind": "notice", "level": "info", "message": "x"}
            end = Ended(Outcome(OutcomeCode.OK), outputs=(note,), artifacts=(artifact,), stdout=StreamText("log", 3, 0))  # type: ignore[arg-type]  # a literal of JSON
            await unit.queue.finish(claimed.claim, end, now)
        return run_id

    async def get(self, run_id: RunId) -> Run:
        """As it stands now."""
        async with self.work.read() as unit:
            found: Run = await unit.runs.get(run_id)
            return found


@pytest.fixture
async def house(work: Any, clock: Any) -> House:
    """A house of each kind."""
    made = House(work, clock)
    now = clock.now()
    async with work.write() as unit:
        await unit.tools.add(Tool(made.tool, "tool", "Tool", "", "urn:owner", now, now))
    return made


async def test_each_class_has_its_time(house: House) -> None:
    """Inputs after a day, files after a week, logs after two, the result after three months, the row after 400 days."""
    run_id = await house.run()
    keys = list(house.files.blobs)
    house.clock.pass_(hours=23)
    assert {0} == set((await house.retention.purge()).counts.values())
    house.clock.pass_(hours=2)
    assert (await house.retention.purge()).counts["inputs"] == 1
    assert [key for key in keys if "artifacts" in key] == list(house.files.blobs)
    house.clock.pass_(days=7)
    await house.retention.purge()
    run = await house.get(run_id)
    assert (house.files.blobs, run.artifacts_expired_at is not None) == ({}, True)
    async with house.work.read() as unit:
        assert [artifact.blob_key for artifact in await unit.runs.artifacts(run_id)] == [None]
        assert (await unit.runs.logs(run_id)).stdout.text == "log"
    house.clock.pass_(days=8)
    await house.retention.purge()
    async with house.work.read() as unit:
        assert (await unit.runs.logs(run_id)).stdout.text == ""
    house.clock.pass_(days=80)
    await house.retention.purge()
    run = await house.get(run_id)
    assert (run.outputs, dict(run.values), run.state) == ((), {}, RunState.SUCCEEDED)
    house.clock.pass_(days=400)
    await house.retention.purge()
    with pytest.raises(NotFound):
        await house.get(run_id)


async def test_twice_changes_nothing(house: House) -> None:
    """A second purge at the same time finds nothing; a dry one only counts."""
    await house.run()
    house.clock.pass_(days=20)
    dry = await house.retention.purge(dry=True)
    assert dry.counts["artifacts"] == 1
    assert dry.counts["artifacts"] == (await house.retention.purge()).counts["artifacts"]
    assert {0} == set((await house.retention.purge()).counts.values())


async def test_active_runs_are_never_touched(house: House) -> None:
    """However old it is, a run that is not over keeps everything."""
    await house.run(ended=False)
    house.clock.pass_(days=500)
    await house.retention.purge()
    assert len(house.files.blobs) == 2


async def test_files_without_a_row_are_swept(house: House) -> None:
    """An upload whose submission was broken off is removed after an hour, not before."""
    house.files.blobs[f"runs/{house.new_id()}/inputs/0"] = b"x"
    assert (await house.retention.purge()).counts["orphans"] == 0
    house.clock.pass_(hours=2)
    assert (await house.retention.purge()).counts["orphans"] == 1
    assert house.files.blobs == {}


async def test_uploads_of_a_run_that_ended_waiting_are_swept(house: House) -> None:
    """Cancelled in the queue: no worker saw it, and its uploads go all the same."""
    run_id = await house.run(ended=False)
    async with house.work.write() as unit:
        production = replace(await unit.runs.get(run_id), context=RunContext.PRODUCTION)
        await unit.runs.update(production)
        await unit.queue.request_cancel(run_id, "user", house.clock.now())
    house.clock.pass_(hours=2)
    assert (await house.retention.purge()).counts["orphans"] == 2


async def test_a_store_that_fails_is_told_and_tried_again(house: House) -> None:
    """What could not be removed is counted and removed at the next purge."""
    await house.run()
    house.clock.pass_(days=2)
    real = house.files.delete

    async def fail(key: str) -> None:
        raise StorageUnavailable("delete")

    house.files.delete = fail  # type: ignore[method-assign]  # the store's border is where it fails
    assert (await house.retention.purge()).failures == 1
    house.files.delete = real  # type: ignore[method-assign]  # and it is mended
    assert ((purged := await house.retention.purge()).counts["inputs"], purged.failures) == (1, 0)
