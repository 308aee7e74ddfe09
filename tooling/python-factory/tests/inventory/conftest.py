"""Older applications, unpacked as their owners would have them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one of our own older applications; they are kept as text, so that no tool takes them for ours."""

    def made(name: str) -> Path:
        root = tmp_path / name
        shutil.copytree(Path(__file__).parents[1] / "brownfield" / name, root)
        for path in root.rglob("*.txt"):
            path.rename(path.with_suffix(""))
        return root

    return made
