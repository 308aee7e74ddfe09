"""What runs is compared with manifest, lock, and what the capabilities declare."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.errors import FactoryError, Refused
from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.overview import Overview
from au_sys_python_factory.shell.supervision.state import StateFolder, read_record
from au_sys_python_factory.shell.verifying import verify

pytestmark = pytest.mark.needs_uv
Start = Callable[..., Overview]


def write(path: Path, text: str) -> None:
    """A new file in place of an installed one, which may be a link into uv's cache."""
    path.unlink()
    path.write_text(text)


def test_a_shell_is_what_was_built_until_somebody_changes_it(
    start: Start, tiny: PlatformFolder, state: StateFolder
) -> None:
    """Each way in which it can be something else is named."""
    start()
    found = verify(tiny, state)
    assert (found.differences, found.sentence) == ((), "2 wheels, 2 packages, 2 routes: all as declared")
    site = next(state.venv.glob("lib/python*/site-packages"))
    write(site / "tiny_runtime" / "__init__.py", '"""Something else."""\n')
    stray = site / "stray-1.0.dist-info"
    stray.mkdir()
    (stray / "METADATA").write_text("Metadata-Version: 2.1\nName: stray\nVersion: 1.0\n")
    assert verify(tiny, state).differences == (
        "tiny_runtime/__init__.py is not as in tiny_runtime-1.0.0-py3-none-any.whl",
        "stray 1.0 is installed, and neither locked nor built here",
    )
    wheels = json.loads(state.manifest.read_text())
    wheels["wheels"]["tiny-shell"]["sha256"] = "0" * 64
    state.manifest.write_text(json.dumps(wheels))
    assert "tiny_shell-1.0.0-py3-none-any.whl is not the wheel of the manifest" in verify(tiny, state).differences


def test_what_answers_must_be_what_is_declared(start: Start, tiny: PlatformFolder, state: StateFolder) -> None:
    """A capability that is wired and does not run, and a public route that is not there."""
    start()
    command = next(state.venv.glob("lib/python*/site-packages")) / "tiny_runtime" / "cli.py"
    changed = command.read_text().replace(
        '"name": "tiny",\n    "version": "1.0.0"', '"name": "tiny",\n    "version": "2"'
    )
    write(command, changed.replace('[{"path": "/health", "methods"', '[{"path": "/gone", "methods"'))
    assert verify(tiny, state).differences[1:] == (
        "capability tiny: 2 wired, 1.0.0 runs",
        "GET /health runs, and no capability declares it",
        "GET /gone is declared as public, and does not run",
        "/openapi.json describes GET /health, and no capability declares it",
    )


def test_nothing_runs_nothing_is_verified(tiny: PlatformFolder, state: StateFolder) -> None:
    """That is no difference, but a refusal."""
    with pytest.raises(Refused, match="nothing runs here"):
        verify(tiny, state)


def test_a_full_disk_while_migrating_is_told_and_nothing_starts(start: Start, state: StateFolder) -> None:
    """Path and reason are in the message; what was installed and kept before starts once there is room again."""
    with pytest.raises(FactoryError, match=r"(?s)migrating the databases failed.*No space left on device.*/tiny\.db"):
        start("full disk")
    assert read_record(state) is None
    assert start().capabilities[0]["health"] == "healthy"
