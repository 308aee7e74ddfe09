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
KEPT = ("get(id) -> Note", "put(id, note)", "remove(id)", "keys()")
PORT = ("port", "note-archive", *(word for method in KEPT for word in ("--method", method)), "--adapter", "filesystem")
ADAPTER = ("adapter", "NoteArchive", "db")
MOTTO = ("port", "motto", "--in", "note", "--adapter", "db")
SOURCE = "packages/au-sys-notes/src/au_sys_notes"


def digests(root: Path) -> dict[str, str]:
    """Every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_everything_added_passes_check_and_twice_is_once(run: Factory, house: Path) -> None:
    """No finding afterwards; the second time there is nothing to do; undo gives the bytes back."""
    before = digests(house)
    everything = (ENDPOINT, MODEL, PAGE, PORT, ADAPTER, MOTTO)
    for arguments in everything:
        added = run("add", *arguments, "--no-sync")
        assert added.exit_code == 0, added.output
        assert "nothing to do" in run("add", *arguments, "--no-sync").output
    found = json.loads(run("check", "--json").stdout)["findings"]
    assert found == []
    for _ in everything:
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


def test_a_port_is_chosen_by_a_setting_and_each_adapter_is_held_to_its_suite(run: Factory, house: Path) -> None:
    """The newest adapter is first among the choices, the default stays, and the suite runs on all of them."""
    run("add", *PORT, "--no-sync")
    run("add", *ADAPTER, "--no-sync")
    source = house / SOURCE
    config = (source / "manifest/config.py").read_text()
    assert 'note_archive: Literal["db", "filesystem", "memory"] = Field(' in config
    assert 'Field(\n        "filesystem", description=' in config
    assert "NOTES_NOTE_ARCHIVE=filesystem" in (house / "packages/au-sys-notes/.env.example").read_text()
    suite = (house / "packages/au-sys-notes/tests/conformance/test_note_archive.py").read_text()
    assert '@pytest.fixture(params=["memory", "filesystem", "db"])' in suite
    container = (source / "manifest/container.py").read_text()
    assert "kept_where = {settings.store, settings.note_archive}" in container
    assert 'down_revision = "0001"' in (source / "adapters/db/migrations/versions/create_note_archive.py").read_text()


def test_a_file_that_its_owner_formats_otherwise_keeps_its_form(run: Factory, house: Path) -> None:
    """Only what is added is new; a formatted file stays formatted."""
    config = house / SOURCE / "manifest/config.py"
    config.write_text(config.read_text().replace("frozen=True)", "frozen = True)"))
    run("add", *PORT, "--no-sync")
    assert "frozen = True)" in config.read_text()
    assert "    note_archive: Literal[" in config.read_text()


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
        (("port", "archive"), 2),
        (("port", "archive", "--adapter", "memory"), 2),
        (("port", "archive", "--adapter", "fax"), 2),
        (("port", "class", "--adapter", "db"), 2),
        (("port", "archive", "--method", "burn(key)", "--adapter", "db"), 2),
        (("port", "archive", "--method", "get(a, b) -> str", "--adapter", "db"), 2),
        (("port", "archive", "--method", "get(a) -> Fax", "--method", "put(a, b)", "--adapter", "db"), 2),
        (("port", "NoteStore", "--adapter", "db"), 4),
        (("adapter", "Nobody", "db"), 4),
        (("adapter", "NoteStore", "db"), 4),
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
