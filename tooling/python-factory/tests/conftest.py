"""Temporary workspaces: a bare one, and one with a generated capability in it."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

SKELETON = Path(__file__).parent / "skeleton"


class Factory:
    """The console script in a workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *arguments: str) -> Result:
        """Run a command there, without a terminal."""
        return CliRunner().invoke(main, [*arguments, "--workspace", str(self.root)])


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A workspace with the project files of a runtime and of one platform."""
    root = tmp_path / "workspace"
    shutil.copytree(SKELETON, root)
    return root


@pytest.fixture
def factory(bare: Path) -> Factory:
    """The console script in a bare workspace."""
    return Factory(bare)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the generated capability ``notes``; nobody changes it."""
    root = tmp_path_factory.mktemp("furnished") / "workspace"
    shutil.copytree(SKELETON, root)
    made = Factory(root)("new", "capability", "notes", "--no-sync")
    assert made.exit_code == 0, made.output
    return root


@pytest.fixture
def house(furnished: Path, tmp_path: Path) -> Path:
    """A workspace of its own with the generated capability ``notes``."""
    root = tmp_path / "house"
    shutil.copytree(furnished, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def run(house: Path) -> Factory:
    """The console script in that workspace."""
    return Factory(house)
