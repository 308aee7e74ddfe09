"""Scratch workspaces: one that was never released, one that was, with its files built; each test has a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.release.scratch import IDENTITY, Scratch, make_scratch


@pytest.fixture(scope="session", autouse=True)
def committer() -> Iterator[None]:
    """Who commits, and no configuration of this machine's owner."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**IDENTITY, "GIT_CONFIG_GLOBAL": "/dev/null"}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """Fragments, no release yet."""
    return make_scratch(tmp_path_factory.mktemp("begun") / "workspace")


@pytest.fixture(scope="session")
def applied(begun: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """Released once, files built."""
    scratch = Scratch(tmp_path_factory.mktemp("applied") / "workspace")
    shutil.copytree(begun.root, scratch.root)
    scratch.apply()
    done = scratch.factory("wheels", "build", "--no-proof")
    assert done.exit_code == 0, done.output
    return scratch


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Scratch], Scratch]:
    """Give a test its own."""

    def copied(scratch: Scratch) -> Scratch:
        return Scratch(Path(shutil.copytree(scratch.root, tmp_path / "workspace")))

    return copied
