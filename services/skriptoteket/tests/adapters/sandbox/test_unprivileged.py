"""The sandbox needs no root: an ordinary user gets the same outcomes, with limits that are soft where they must be."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import skriptoteket

pytestmark = pytest.mark.needs_bwrap

_PROGRAM = Path(__file__).with_name("unprivileged_program.py")
_SOMEBODY = 64_321


def _interpreter() -> str:
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info.minor}"):
        folders = Path(candidate).parents
        if Path(candidate).is_file() and all(folder.stat().st_mode & 0o001 for folder in folders):
            return candidate
    return sys.executable


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that belongs to somebody without any right."""
    folder = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(folder, _SOMEBODY, _SOMEBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("runner", ["bubblewrap", "zygote"])
def test_an_ordinary_user_gets_every_outcome(home: Path, runner: str) -> None:
    """Started without privileges, every way of ending is told apart as it is for a privileged worker."""
    somebody = _SOMEBODY if os.geteuid() == 0 else None
    places = [str(Path(skriptoteket.__file__).parents[1]), sysconfig.get_path("purelib")]
    ended = subprocess.run(
        [_interpreter(), "-B", str(_PROGRAM), str(home / "state"), runner],
        env={"PYTHONPATH": os.pathsep.join(places), "PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        user=somebody,
        group=somebody,
        extra_groups=None if somebody is None else [],
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]

    assert ended.returncode == 0, ended.stderr
    assert "soft" in lines[0]["capabilities"].values()
    assert [line for line in lines[1:-1] if line["expected"] != line["got"]] == []
    assert lines[-1] == {"left": []}
