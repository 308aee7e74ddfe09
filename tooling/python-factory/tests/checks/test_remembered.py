"""A run that remembers says what a run that looks at everything says."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from au_sys_python_factory.checks.remembering.stamps import Remembered
from au_sys_python_factory.workspace.members import find_workspace

Factory = Callable[..., Result]
SOURCE = "packages/au-sys-notes/src/au_sys_notes"


def both(run: Factory, house: Path) -> str:
    """What a remembering run shows; it must be what a run from nothing shows."""
    remembering = run("check", "--quiet").stdout
    shutil.rmtree(house / ".factory/cache")
    assert remembering == run("check", "--quiet").stdout
    return remembering


def test_a_member_that_is_as_it_was_is_not_looked_at_again(run: Factory, house: Path) -> None:
    """After a run every member is known; an edit forgets the one that it is in."""
    run("check")
    workspace = find_workspace(house)
    assert all(Remembered(workspace).kept(member) for member in workspace.members)
    models = house / SOURCE / "core/notes/models.py"
    models.write_text(f"{models.read_text()}\n# edited\n")
    known = {member.dist: bool(Remembered(workspace).kept(member)) for member in workspace.members}
    assert known == {member.dist: member.dist != "au-sys-notes" for member in workspace.members}


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("core/notes/planted.py", '"""Planted."""\n\nimport sqlalchemy\n\nsqlalchemy.select()\n', "A04"),
        ("core/notes/planted.py", '"""Planted."""\n\n# TODO: later\n', "Z01"),
        ("core/planted.py", '"""Planted."""\n\nimport au_sys_notes.adapters\n\nau_sys_notes.adapters\n', "A02"),
    ],
)
def test_what_was_planted_is_found_and_what_was_mended_is_gone(
    path: str, text: str, rule: str, run: Factory, house: Path
) -> None:
    """With a cache from before either."""
    assert both(run, house) == ""
    (house / SOURCE / path).write_text(text)
    assert rule in both(run, house)
    (house / SOURCE / path).unlink()
    assert both(run, house) == ""


def test_a_prefix_is_compared_with_members_that_did_not_change(run: Factory, house: Path) -> None:
    """The first owner is known from before, the second is new."""
    run("check")
    made = run("new", "capability", "other-notes", "--no-sync", "--no-wire")
    assert made.exit_code == 0, made.output
    config = house / "packages/au-sys-other-notes/src/au_sys_other_notes/manifest/config.py"
    config.write_text(config.read_text().replace('env_prefix="OTHER_NOTES_"', 'env_prefix="NOTES_"'))
    assert "M05" in both(run, house)


def test_a_damaged_cache_is_none(run: Factory, house: Path) -> None:
    """The run looks at everything and writes it anew."""
    run("check")
    (house / ".factory/cache/check.json").write_text('{"key": 1')
    assert run("check").exit_code == 0
