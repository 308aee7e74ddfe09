"""A package's sources are proved by the tools of the workspace, and what they say is passed on."""

from pathlib import Path

import pytest

from au_sys_python_factory.pipelines.verification.sources import PartFailed, layers, lint
from au_sys_python_factory.workspace.members import Member, find_workspace

RUFF = """line-length = 120
[lint.isort]
known-first-party = ["au_sys_notes", "fastapi_services_platform"]
"""
ERRORS = "packages/au-sys-notes/src/au_sys_notes/core/errors.py"


def notes(house: Path) -> Member:
    """The generated capability, in a workspace with lines as long as ours."""
    (house / "ruff.toml").write_text(RUFF)
    return find_workspace(house).by_dist["au-sys-notes"]


def test_a_generated_package_is_formatted_and_within_the_rules(house: Path) -> None:
    """Nothing to say."""
    (house / ".importlinter").unlink()
    assert lint(notes(house)) == "formatted, nothing to lint"
    assert layers(notes(house)) == "within the rules"


def test_what_ruff_asks_for_is_passed_on(house: Path) -> None:
    """With the command that shows it again."""
    (house / ERRORS).write_text("import os\n" + (house / ERRORS).read_text())
    with pytest.raises(PartFailed, match=r"errors\.py:1:8: (error\[)?F401") as refused:
        lint(notes(house))
    assert "ruff" in refused.value.fix


def test_a_core_that_imports_a_framework_is_named(house: Path) -> None:
    """File, line, rule, and where to read about it."""
    (house / ERRORS).write_text((house / ERRORS).read_text() + "\nimport fastapi\n")
    with pytest.raises(PartFailed, match=f"{ERRORS}:[0-9]+: A04") as refused:
        layers(notes(house))
    assert "python-factory explain" in refused.value.fix
