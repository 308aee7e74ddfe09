"""``check`` with what mends, types and runs: --fix, --types, --deep."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from au_sys_python_factory.cli import main

Factory = Callable[..., Result]
PACKAGE = "packages/au-sys-notes"
SOURCE = f"{PACKAGE}/src/au_sys_notes"


def test_fix_mends_and_undo_takes_it_back(run: Factory, house: Path) -> None:
    """An unused import and a missing py.typed go away with one command, and come back with one."""
    errors, typed = house / SOURCE / "core/errors.py", house / SOURCE / "py.typed"
    whole = errors.read_text()
    spoiled = whole.replace('"""\n', '"""\nimport os\n', 1)
    errors.write_text(spoiled)
    typed.unlink()
    ended = run("check", str(house / PACKAGE), "--fix", "--only", "L10")
    assert (ended.exit_code, typed.exists()) == (0, True), ended.output
    assert "import os" not in errors.read_text()
    assert "journal entry" in ended.stderr
    assert run("undo", "--no-sync").exit_code == 0
    assert (spoiled, False) == (errors.read_text(), typed.exists())


def test_nothing_to_mend_leaves_no_entry(run: Factory, house: Path) -> None:
    """The second time there is nothing to take back."""
    run("check", str(house / PACKAGE), "--fix", "--only", "L10")
    assert "journal entry" not in run("check", str(house / PACKAGE), "--fix", "--only", "L10").stderr


def test_explain_says_whether_fix_can() -> None:
    """In words, and as a fact."""
    assert "check --fix does it" in CliRunner().invoke(main, ["explain", "L10"]).output
    assert json.loads(CliRunner().invoke(main, ["explain", "A01", "--json"]).output)["data"]["fixable"] is False
