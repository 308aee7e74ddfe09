"""``new capability``: a whole package, registered and wired, and taken back to the byte."""

import hashlib
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Factory = Callable[..., Result]


def tree(root: Path) -> dict[str, str]:
    """Digest of every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and root / ".factory" not in path.parents]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_it_is_registered_and_wired_everywhere(factory: Factory, bare: Path) -> None:
    """Sources, development group, contracts, bill of materials, features, variables."""
    made = factory("new", "capability", "customer-notes", "--no-sync")
    assert made.exit_code == 0, made.output
    root = tomllib.loads((bare / "pyproject.toml").read_text())
    assert root["tool"]["uv"]["sources"]["au-sys-customer-notes"] == {"workspace": True}
    assert "au-sys-customer-notes" in root["dependency-groups"]["dev"]
    platform = bare / "platforms/fsp_shell_001"
    assert '"au-sys-customer-notes>=0.1,<1"' in (platform / "pyproject.toml").read_text()
    assert "  customer_notes: { enabled: true" in (platform / "config/router_factory_features.yaml").read_text()
    assert "# CUSTOMER_NOTES_PAGE_SIZE=50" in (platform / "config/shell.env.example").read_text()
    assert "au_sys_customer_notes.core" in (bare / ".importlinter").read_text()


def test_no_wire_leaves_the_platforms_alone(factory: Factory, bare: Path) -> None:
    """The package is a member, no platform knows it."""
    before = {path: text for path, text in tree(bare).items() if path.startswith("platforms")}
    assert factory("new", "capability", "ledger", "--no-sync", "--no-wire").exit_code == 0
    assert before == {path: text for path, text in tree(bare).items() if path.startswith("platforms")}


def test_undo_gives_the_bytes_back_and_redo_too(factory: Factory, bare: Path) -> None:
    """There and back and there again."""
    before = tree(bare)
    factory("new", "capability", "ledger", "--no-sync")
    after = tree(bare)
    assert factory("undo", "--no-sync").exit_code == 0
    assert before == tree(bare)
    assert factory("redo", "--no-sync").exit_code == 0
    assert after == tree(bare)


def test_destroy_removes_every_trace(factory: Factory, bare: Path) -> None:
    """What `new` added is gone, the rest is as it was."""
    before = tree(bare)
    factory("new", "capability", "ledger", "--no-sync")
    gone = factory("destroy", "ledger", "--no-sync", "--yes")
    assert (0, before) == (gone.exit_code, tree(bare)), gone.output


def test_destroy_asks_first(factory: Factory, bare: Path) -> None:
    """Without a terminal and without --yes nothing happens."""
    factory("new", "capability", "ledger", "--no-sync")
    before = tree(bare)
    assert (2, before) == (factory("destroy", "ledger", "--no-sync").exit_code, tree(bare))


def test_unwire_and_wire_are_opposites(factory: Factory, bare: Path) -> None:
    """Out and in again is the same workspace; wiring twice is nothing."""
    factory("new", "capability", "ledger", "--no-sync", "--no-wire")
    unwired = tree(bare)
    assert factory("wire", "ledger", "--no-sync").exit_code == 0
    wired = tree(bare)
    assert "nothing to do" in factory("wire", "ledger", "--no-sync").output
    assert factory("unwire", "ledger", "--no-sync").exit_code == 0
    assert unwired == tree(bare)
    factory("wire", "ledger", "--no-sync")
    assert wired == tree(bare)


def test_a_dry_run_writes_nothing_and_shows_what_apply_writes(factory: Factory, bare: Path) -> None:
    """The difference names every file; exit 6 on request."""
    before = tree(bare)
    shown = factory("new", "capability", "ledger", "--dry-run", "--exit-code")
    assert (6, before) == (shown.exit_code, tree(bare))
    named = {line.removeprefix("+++ b/") for line in shown.output.splitlines() if line.startswith("+++ b/")}
    made = json.loads(factory("new", "capability", "ledger", "--no-sync", "--json").output)
    empty = {"packages/au-sys-ledger/src/au_sys_ledger/py.typed"}
    assert named | empty == {change["path"] for change in made["data"]["changes"]}


def test_the_same_answers_give_the_same_bytes(factory: Factory, bare: Path) -> None:
    """No clock, no chance, no path of the host."""
    first = factory("new", "capability", "ledger", "--dry-run").output
    second = factory("new", "capability", "ledger", "--dry-run").output
    assert first == second
    assert str(bare) not in first


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("class",), 2),
        (("ledger", "--field", "x:y"), 2),
        (("ledger", "--field", "a:str", "--field", "a:str"), 2),
        (("ledger", "--wire", "nowhere"), 2),
        (("ledger", "--wire", "fsp_shell_001", "--no-wire"), 2),
        (("ledger", "--unknown"), 2),
        (("fsp-runtime",), 2),
    ],
)
def test_a_mistake_ends_with_its_exit_code_and_writes_nothing(
    arguments: tuple[str, ...], code: int, factory: Factory, bare: Path
) -> None:
    """No traceback, a way on, the tree as before."""
    before = tree(bare)
    ended = factory("new", "capability", *arguments)
    assert (code, before) == (ended.exit_code, tree(bare)), ended.output
    assert "Traceback" not in ended.output


def test_answers_may_come_from_a_file_and_options_win(factory: Factory, bare: Path, tmp_path: Path) -> None:
    """The same bytes as with options."""
    answers = tmp_path / "ledger.toml"
    answers.write_text('name = "ledger"\nnoun = "line"\nfields = ["title:str(1..80)", "open:bool"]\nsummary = "Old."\n')
    filed = factory("new", "capability", "--answers", str(answers), "--summary", "Keeps lines.", "--dry-run").output
    fields = ("--field", "title:str(1..80)", "--field", "open:bool")
    said = factory("new", "capability", "ledger", "--noun", "line", *fields, "--summary", "Keeps lines.", "--dry-run")
    assert said.output == filed
    assert "au-sys-ledger" in filed


def test_everything_wrong_with_a_file_of_answers_is_said_at_once(factory: Factory, tmp_path: Path) -> None:
    """Unknown, of another type and missing keys, with their lines."""
    answers = tmp_path / "wrong.toml"
    answers.write_text('noun = 3\ncolour = "red"\nfields = "title:str"\n')
    ended = factory("new", "capability", "--answers", str(answers), "--no-sync")
    assert ended.exit_code == 2
    for part in ("line 1: noun is a text", "line 2: colour is no answer", "line 3: fields is a list", "missing: name"):
        assert part in ended.output


def test_a_folder_in_the_way_is_never_overwritten(factory: Factory, bare: Path) -> None:
    """Exit 4, and the stranger's file is untouched."""
    stranger = bare / "packages/au-sys-ledger/notes.txt"
    stranger.parent.mkdir()
    stranger.write_text("mine")
    ended = factory("new", "capability", "ledger", "--no-sync")
    assert (ended.exit_code, stranger.read_text()) == (4, "mine")
