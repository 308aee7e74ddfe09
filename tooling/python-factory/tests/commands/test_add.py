"""``add``: where a person would put it, once, and taken back to the byte."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Factory = Callable[..., Result]
ENDPOINT = ("endpoint", "POST", "/{note_id}/archive", "--verb", "archive", "--permission", "notes.notes.archive")
MODEL = ("model", "label", "name:str(1..40)", "colour:enum(red|blue)", "--public")
PAGE = ("page", "/overview")
SOURCE = "packages/au-sys-notes/src/au_sys_notes"


def digests(root: Path) -> dict[str, str]:
    """Every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_everything_added_passes_check_and_twice_is_once(run: Factory, house: Path) -> None:
    """No finding afterwards; the second time there is nothing to do; undo gives the bytes back."""
    before = digests(house)
    for arguments in (ENDPOINT, MODEL, PAGE):
        added = run("add", *arguments, "--no-sync")
        assert added.exit_code == 0, added.output
        assert "nothing to do" in run("add", *arguments, "--no-sync").output
    found = json.loads(run("check", "--json").stdout)["findings"]
    assert found == []
    for _ in range(3):
        assert run("undo", "--no-sync").exit_code == 0
    assert before == digests(house)


def test_an_edit_lands_where_its_siblings_are_and_keeps_what_is_around(run: Factory, house: Path) -> None:
    """A comment and an order of the owner survive; the new permission belongs to editors."""
    container = house / SOURCE / "manifest/container.py"
    container.write_text(
        container.read_text().replace(
            "    return (\n        Service(", "    return (\n        # mine\n        Service("
        )
    )
    run("add", *ENDPOINT, "--no-sync")
    text = container.read_text()
    assert "        # mine\n        Service(CreateNote" in text
    assert text.index("Service(RemoveNote") < text.index("Service(ArchiveNote, lambda _scope: ArchiveNote(work, now))")
    plugin = (house / SOURCE / "manifest/plugin.py").read_text()
    assert 'Permission("notes.notes.archive", "Archive notes")' in plugin
    assert '(READ, WRITE, "notes.notes.archive")' in plugin


def test_a_dry_run_is_what_apply_writes(run: Factory, house: Path) -> None:
    """The files of the difference are the files of the journal entry."""
    shown = json.loads(run("add", *ENDPOINT, "--dry-run", "--json").stdout)["data"]["diff"]
    named = {line[6:] for line in shown if line.startswith("+++ b/")}
    made = json.loads(run("add", *ENDPOINT, "--no-sync", "--json").stdout)["data"]["changes"]
    assert named == {change["path"] for change in made}


def test_a_migration_comes_from_the_difference_of_tables_and_history(run: Factory, house: Path) -> None:
    """No difference, no revision; a new column is a revision on top of the first."""
    assert "nothing to do" in run("add", "migration", "Nothing new", "--no-sync").output
    tables = house / SOURCE / "adapters/db/tables.py"
    tables.write_text(
        tables.read_text().replace('    Column("title"', '    Column("due", Moment),\n    Column("title"')
    )
    added = run("add", "migration", "Add a due moment", "--no-sync")
    assert added.exit_code == 0, added.output
    text = (house / SOURCE / "adapters/db/migrations/versions/add_a_due_moment.py").read_text()
    assert 'revision = "0002"\ndown_revision = "0001"' in text
    assert 'add_column(sa.Column("due", Moment(), nullable=True))' in text
    assert 'drop_column("due")' in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("endpoint", "POST", "/{note_id}/archive", "--verb", "archive"), 2),
        (("endpoint", "FETCH", "/{note_id}/archive", "--verb", "archive", "--public"), 2),
        (("endpoint", "POST", "/archive", "--verb", "archive", "--public"), 2),
        (("endpoint", "POST", "/{note_id}/x", "--verb", "Archive it", "--public"), 2),
        (("endpoint", "POST", "/{note_id}/x", "--verb", "archive", "--permission", "archive"), 2),
        (("model", "class", "name:str"), 2),
        (("model", "label", "name:colour"), 2),
        (("page", "/new"), 2),
        (("page", "/a/b"), 2),
        (("migration", "?"), 2),
        (("page", "/overview", "--in", "nobody"), 4),
        (("endpoint", "POST", "/{note_id}/x", "--verb", "read", "--public"), 4),
    ],
)
def test_a_mistake_ends_with_its_exit_code_and_writes_nothing(
    arguments: tuple[str, ...], code: int, run: Factory, house: Path
) -> None:
    """What is wrong and what would be right; never a traceback."""
    before = digests(house)
    ended = run("add", *arguments, "--no-sync")
    assert (code, before) == (ended.exit_code, digests(house)), ended.output
    assert "fix:" in ended.output


def test_a_file_that_does_not_parse_is_not_edited(run: Factory, house: Path) -> None:
    """Exit 4 with line and column."""
    router = house / SOURCE / "adapters/api/router.py"
    router.write_text(router.read_text() + "\ndef broken(:\n")
    ended = run("add", *ENDPOINT, "--no-sync")
    assert ended.exit_code == 4
    assert "does not parse" in ended.output
