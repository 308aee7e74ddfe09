"""Workspace paths and the needs of the outside; everything else is a fixture where it is used."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def workspace() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def members(workspace: Path) -> list[Path]:
    """Every workspace member's folder."""
    return sorted(
        found.parent
        for place in ("packages", "services", "platforms", "tooling")
        for found in (workspace / place).glob("*/pyproject.toml")
    )
