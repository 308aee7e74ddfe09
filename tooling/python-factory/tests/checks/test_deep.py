"""What only running the code can tell is asked on demand."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.checks.engine import run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.workspace.members import find_workspace

SOURCE = "packages/au-sys-notes/src/au_sys_notes"
Found = list[tuple[str, str]]


@pytest.fixture
def dig(garden: Path) -> Callable[[], Found]:
    """Check the workspace deeply; the runtime is the installed one, since that of the skeleton has no code."""
    shutil.rmtree(garden / "packages/fsp-runtime/src")

    def found() -> Found:
        report = run(read_project(find_workspace(garden)), deep=True)
        return [
            (item.rule, item.message.split(":")[0])
            for item in report.findings
            if item.severity == "error" and item.path.startswith(SOURCE)
        ]

    return found


def test_what_an_import_loads_and_what_a_migration_forgot_is_found(dig: Callable[[], Found], garden: Path) -> None:
    """The core brings a framework by a way that no line shows; a table is in the tables only. Nothing else is found."""
    core = garden / SOURCE / "core/planted.py"
    core.write_text('"""Planted."""\n\nimport importlib\n\nLOADED = importlib.__import__("sqlalchemy")\n')
    tables = garden / SOURCE / "adapters/db/tables.py"
    text = tables.read_text(encoding="utf-8")
    planted = '\nplanted = Table("planted", metadata, Column("id", Integer, primary_key=True))\n'
    tables.write_text(f"{text}\n{planted}", encoding="utf-8")
    expected = [
        ("A05", "importing au_sys_notes.core.planted loads sqlalchemy"),
        ("M06", "the tables differ from the head"),
    ]
    assert expected == dig()
