"""Files below a folder, without what tools leave behind."""

import os
from pathlib import Path

LEFT_BEHIND = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".venv", "node_modules"}


def files_of(folder: Path, root: Path) -> list[str]:
    """Every file below a folder, as paths from the root with forward slashes, sorted."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_BEHIND]
        found += [Path(place, name).relative_to(root).as_posix() for name in names]
    return sorted(found)
