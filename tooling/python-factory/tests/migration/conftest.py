"""An older application unpacked, and its plan."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

BROWNFIELD = Path(__file__).parents[1] / "brownfield"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A copy of ``legacy_notes`` as its owners would have it."""
    root = tmp_path / "older"
    shutil.copytree(BROWNFIELD / "legacy_notes", root)
    for path in root.rglob("*.txt"):
        path.rename(path.with_suffix(""))
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the plan goes, with what is to be asked."""
    place = tmp_path / "plan"
    place.mkdir()
    shutil.copyfile(BROWNFIELD / "plans/legacy-notes/requests.toml", place / "requests.toml")
    return place


@pytest.fixture
def plain() -> Callable[..., Result]:
    """The console script, for commands that need no workspace."""
    return lambda *arguments: CliRunner().invoke(main, list(arguments))
