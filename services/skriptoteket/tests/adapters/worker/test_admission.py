"""A host takes what it has room for; while it is short of memory, scheduled runs wait."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from au_sys_storage_sdk import open_blobs
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.adapters.platform.time_and_ids import SystemClock
from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.worker.admission import held_back
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.runs.models import Lane, RunState
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

if TYPE_CHECKING:
    from tests.adapters.worker.conftest import Library


class _Able(MemorySandbox):
    async def capabilities(self) -> Mapping[str, str]:
        return DEFAULT_REQUIREMENTS


_ANSWER = '{"result": {"contract": 1, "status": "ok"}}'


def pressed(file: Path, share: str) -> Path:
    """A file as the kernel's, of a host that waited for memory for this share of the last ten seconds."""
    file.write_text(
        f"some avg10={share} avg60=1.00 avg300=0.50 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    )
    return file


@pytest.mark.parametrize(
    ("share", "held"),
    [("0.00", frozenset()), ("9.99", frozenset()), ("10.00", {Lane.SCHEDULED}), ("97.1", {Lane.SCHEDULED})],
)
def test_pressure_holds_the_scheduled_lane_back(tmp_path: Path, share: str, held: frozenset[str]) -> None:
    """From a tenth of the time on the scheduled lane waits, and no other."""
    assert held_back(pressed(tmp_path / "memory", share)) == held


@pytest.mark.parametrize("text", [None, "", "some", "some avg10=", "some avg10=much"])
def test_a_kernel_that_does_not_tell_holds_nothing_back(tmp_path: Path, text: str | None) -> None:
    """No file, and one that is not understood, change nothing."""
    if text is not None:
        (tmp_path / "memory").write_text(text)

    assert held_back(tmp_path / "memory") == frozenset()


async def test_a_pressed_worker_starts_no_scheduled_run(library: "Library") -> None:
    """Under pressure people's runs go on and the schedule's wait; once it is over they run too."""
    mine = await library.submit(_ANSWER)
    nightly = await library.submit(_ANSWER, lane=Lane.SCHEDULED)
    pressure = pressed(library.folder / "memory", "25.00")
    settings = WorkerSettings(library.folder / "state", memory_budget_mib=4096, cpu_slots=4, pressure=pressure)
    async with open_blobs(f"file://{library.folder}/blobs") as blobs:
        parts = WorkerParts(library.uow, BlobArtifactStore(blobs), _Able(), HostReport(()), SystemClock())
        await run_worker(settings, parts, once=True)
        under_pressure = [(await library.run(one)).state for one in (mine, nightly)]
        pressed(pressure, "0.30")
        await run_worker(settings, parts, once=True)

    assert under_pressure == [RunState.SUCCEEDED, RunState.QUEUED]
    assert (await library.run(nightly)).state is RunState.SUCCEEDED
