"""What programs read has one shape, whatever the command."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from au_sys_python_factory.cli import main

Factory = Callable[..., Result]
SCHEMA = json.loads((files("au_sys_python_factory") / "schemas/answer.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("explain", "Z01"),
        ("graph",),
        ("graph", "au-sys-notes"),
        ("diff", "notes"),
        ("undo", "--list"),
        ("undo", "--no-sync"),
        ("undo", "--merge", "--no-sync"),
        ("wire", "notes", "--no-sync"),
        ("unwire", "notes", "--no-sync"),
        ("eject", "notes", "--dry-run"),
        ("upgrade", "notes", "--no-sync"),
        ("destroy", "notes", "--yes", "--no-sync"),
        ("new", "capability", "other", "--dry-run"),
        ("new", "platform", "--dry-run"),
        ("add", "page", "/overview", "--dry-run"),
    ],
    ids=" ".join,
)
def test_an_answer_is_as_the_schema_says(arguments: tuple[str, ...], run: Factory) -> None:
    """One object on stdout, and nothing beside it."""
    call = _without_workspace if arguments[0] == "explain" else run
    answered = call(*arguments, "--json")
    found = json.loads(answered.stdout)
    Draft202012Validator(SCHEMA).validate(found)
    assert (found["exit"], found["ok"]) == (answered.exit_code, answered.exit_code == 0)


def _without_workspace(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_finding_is_as_the_schema_says(run: Factory, house: Path) -> None:
    """With rule, place, reason and fix."""
    (house / "packages/au-sys-notes/src/au_sys_notes/core/notes/planted.py").write_text("# TODO\n")
    found = json.loads(run("check", "--json").stdout)
    Draft202012Validator(SCHEMA).validate(found)
    assert {"Z01", "L07"} <= {item["rule"] for item in found["findings"]}
