"""The guide can be followed: four blocks, and every command in them is there. `just proof-upgrade` follows it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.upgrade.run import blocks


def test_every_recipe_of_the_guide_exists(workspace: Path) -> None:
    """A recipe that was renamed shows here, not at night on somebody's host."""
    just = str(Path(sys.executable).parent / "just")
    listed = subprocess.run([just, "--summary"], cwd=workspace, capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"uv run just (\S+)", "".join(blocks())))
    assert named == {"shell-down", "shell-status", "shell-up"}
    assert named <= set(listed.split())


def test_the_way_back_restores_what_was_copied() -> None:
    """Data and secrets belong together: both are copied, and both come back."""
    copy, _, _, back = blocks()
    for name in (".shell/data", ".shell/secrets"):
        assert name in copy
        assert name.replace(".shell/", ".shell/before-upgrade/") in back
