"""What scripts are given, print, leave and say stands in no line of the worker's log."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from au_sys_storage_sdk import open_blobs
from fastapi_services_platform.observability.logger_factory import close_logging, configure_logging, flush_logging
from fastapi_services_platform.testing.started_app import settings_for
from skriptoteket.adapters.artifacts.store import BlobArtifactStore
from skriptoteket.adapters.memory.sandbox import MemorySandbox
from skriptoteket.adapters.platform.time_and_ids import SystemClock
from skriptoteket.adapters.sandbox.probe import HostReport
from skriptoteket.adapters.worker.daemon import run_worker
from skriptoteket.adapters.worker.parts import WorkerParts, WorkerSettings
from skriptoteket.core.runs.queueing.matching import DEFAULT_REQUIREMENTS

from .conftest import Library

PLANTED = ("hemlig-utskrift", "hemligt-fel", "hemligt-steg", "hemligt-svar", "hemlig-fil", "hemligt-inre", "hemlig-kod")
RESULT = {"contract": 1, "status": "ok", "error": None, "next_actions": [], "state": {"kod": "hemlig-kod"}}
ANSWER = {**RESULT, "outputs": [{"kind": "notice", "level": "info", "message": "hemligt-svar"}]}
BROKEN = {**RESULT, "status": "error", "error": {"type": "ValueError", "message": "hemligt-fel"}, "outputs": []}
FILES = {"hemlig-fil.txt": "hemligt-inre"}


class Isolating(MemorySandbox):
    """One that says it isolates, so that the worker takes runs."""

    async def capabilities(self) -> Mapping[str, str]:
        return DEFAULT_REQUIREMENTS


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The folder of a log that holds everything, down to the level debug."""
    configure_logging(settings_for(tmp_path, log_level="debug", log_dir=tmp_path / "log"))
    yield tmp_path / "log"
    configure_logging(settings_for(tmp_path, log_level="info", log_dir=None))
    close_logging()


async def test_nothing_of_a_run_is_logged(library: Library, log: Path, tmp_path: Path) -> None:
    """A success, an error of the script, an answer that cannot be read, and a sandbox that fails."""
    told = {"print": "hemlig-utskrift", "stderr": "hemligt-fel", "progress": [[5, "hemligt-steg"]], "files": FILES}
    scripts = (
        {**told, "result": ANSWER},
        {**told, "result": BROKEN, "exit": 1},
        {**told, "result": {"hemligt-svar": 1}},
        {"fail": "no slot"},
    )
    runs = [await library.submit(json.dumps(script)) for script in scripts]
    async with open_blobs(f"file://{tmp_path}/blobs") as blobs:
        parts = WorkerParts(library.uow, BlobArtifactStore(blobs), Isolating(), HostReport(()), SystemClock())
        await run_worker(WorkerSettings(tmp_path / "state", memory_budget_mib=2048), parts, once=True)
    assert [(await library.run(run_id)).outcome for run_id in runs] == [
        "ok",
        "script_error",
        "contract_violation",
        "infrastructure",
    ]
    flush_logging()
    lines = "".join(path.read_text() for path in log.rglob("*") if path.is_file())
    assert "worker.started" in lines
    assert str(runs[0]) in lines
    assert [word for word in PLANTED if word in lines] == []
