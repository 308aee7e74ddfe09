"""The gauntlet against a tiny shell: a throw-away one, the running one, and one with a planted defect."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from au_sys_python_factory.shell.supervision.addresses import free_port

pytestmark = pytest.mark.needs_uv
SOURCE = Path(__file__).resolve().parents[1] / "tiny_workspace"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A tiny workspace; its shell is stopped at the end."""
    shutil.copytree(SOURCE, tmp_path / "workspace")
    yield tmp_path / "workspace"
    factory(tmp_path / "workspace", "shell", "down")


def factory(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The real command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "au_sys_python_factory", *arguments],
        cwd=root,
        env={**os.environ, "UV_OFFLINE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_shell_a_throw_away_one_is_proved_and_removed(root: Path, tmp_path: Path) -> None:
    """Rows of the wheel and of the platform run; strangers are refused; nothing is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = factory(root, "gauntlet", TMPDIR=str(temporary))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny: things are listed" in done.stdout
    assert "platform: it lives" in done.stdout
    assert "GET /things/{name} refuses a stranger" in done.stdout
    assert "gauntlet: 4 passed" in done.stdout
    assert list(temporary.iterdir()) == []


def test_it_runs_twice_against_the_running_shell_and_reports(root: Path) -> None:
    """Exit 0 both times; JSON and JUnit lie in the state folder."""
    started = factory(root, "shell", "up", "--detach", "--port", str(free_port()))
    assert started.returncode == 0, started.stderr
    codes = [factory(root, "gauntlet").returncode for _ in range(2)]
    assert codes == [0, 0]
    document = json.loads((root / ".shell" / "gauntlet" / "gauntlet.json").read_text())
    assert (document["passed"], document["failed"]) == (4, 0)
    assert "tiny-access-token" not in (root / ".shell" / "gauntlet" / "gauntlet.json").read_text()


def test_a_planted_defect_is_exit_one(root: Path) -> None:
    """A row that does not hold is named with what came instead."""
    row = root / "platforms" / "tiny_shell" / "gauntlet" / "boot.toml"
    row.write_text(row.read_text().replace('"healthy"', '"perfect"'))
    done = factory(root, "gauntlet")
    assert done.returncode == 1
    assert "FAIL platform: it lives" in done.stdout
    assert "field status is 'healthy', expected 'perfect'" in done.stdout


def test_a_shell_that_does_not_start_is_exit_five(root: Path) -> None:
    """It could not be tried, and why."""
    done = factory(root, "gauntlet", TINY_MODE="dies at start")
    assert done.returncode == 5
    assert "the gauntlet could not be tried" in done.stderr
    assert "tiny: no can do" in done.stderr


def test_a_remote_system_that_does_not_answer_is_exit_five(root: Path) -> None:
    """No answer is not a failed step."""
    done = factory(
        root,
        *("gauntlet", "--base-url", f"http://127.0.0.1:{free_port()}", "--admin", "a@example.org"),
        FSP_GAUNTLET_PASSWORD="x",
    )
    assert done.returncode == 5
    assert "no answer" in done.stderr
