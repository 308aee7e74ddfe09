"""A place to plant violations in, swept after each test."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.checks.engine import run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.workspace.members import find_workspace

Found = list[tuple[str, str]]
Plant = Callable[[str, str], Found]

PACKAGE = "packages/au-sys-notes"


@pytest.fixture
def garden(furnished: Path, tmp_path: Path) -> Path:
    """A workspace of its own, without findings."""
    root = tmp_path / "garden"
    shutil.copytree(furnished, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def look(garden: Path) -> Callable[[], Found]:
    """Check the workspace: rule and place of each finding that is no warning."""

    def found() -> Found:
        report = run(read_project(find_workspace(garden)))
        return [(item.rule, f"{item.path}:{item.line}") for item in report.findings if item.severity == "error"]

    return found


@pytest.fixture
def plant(garden: Path, look: Callable[[], Found]) -> Plant:
    """Write a file into the package (its folders become packages) and check the workspace."""

    def planted(place: str, text: str) -> Found:
        path = garden / PACKAGE / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if "src/" in place and not (path.parent / "__init__.py").exists():
            (path.parent / "__init__.py").write_text('"""Planted."""\n', encoding="utf-8")
        return look()

    return planted
