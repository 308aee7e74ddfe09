"""The wheels of the workspace, built once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def built_wheels(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one wheel of each member."""
    out = tmp_path_factory.mktemp("wheels")
    command = ["uv", "build", "--all-packages", "--wheel", "--quiet", "--out-dir", str(out)]
    subprocess.run(command, cwd=workspace, check=True, capture_output=True)
    return out
