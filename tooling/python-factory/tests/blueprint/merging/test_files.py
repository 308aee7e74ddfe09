"""The table of outcomes: one test for each row, and each way of merging."""

import pytest

from au_sys_python_factory.blueprint.merging.files import decide
from au_sys_python_factory.blueprint.merging.tables import merge as merge_tables
from au_sys_python_factory.plan.model import digest

OLD = "one\ntwo\nthree\nfour\nfive\n"
NEW = "one\ntwo\nthree\nfour\nFIVE\n"
EDITED = "ONE\ntwo\nthree\nfour\nfive\n"
CLASH = "one\ntwo\nthree\nfour\nmine\n"
KNOWN = digest(OLD.encode())

ROWS = {
    "as rendered, template changed": (OLD, KNOWN, OLD, NEW, "new content", NEW),
    "edited, template unchanged": (EDITED, KNOWN, OLD, OLD, "untouched", EDITED),
    "edited elsewhere": (EDITED, KNOWN, OLD, NEW, "merged", "ONE\ntwo\nthree\nfour\nFIVE\n"),
    "edited in the same place, equally": (NEW, KNOWN, OLD, NEW, "same", NEW),
    "deleted by the owner": (None, KNOWN, OLD, NEW, "stays deleted", None),
    "dropped, as rendered": (OLD, KNOWN, OLD, None, "deleted", None),
    "dropped, edited": (EDITED, KNOWN, OLD, None, "kept", EDITED),
    "newly present": (None, None, None, NEW, "created", NEW),
    "newly present, there already and equal": (NEW, None, None, NEW, "adopted", NEW),
}


@pytest.mark.parametrize("row", ROWS)
def test_each_row_of_the_table(row: str) -> None:
    """What is on the disk, in the old and in the new template decides."""
    disk, recorded, old, new, kind, text = ROWS[row]
    found = decide("notes.txt", disk, recorded, old, new)
    assert (kind, text) == (found.kind, found.text)


@pytest.mark.parametrize(
    ("disk", "recorded", "old"), [(CLASH, KNOWN, OLD), (CLASH, None, None)], ids=["same place", "unknown file"]
)
def test_what_both_sides_want_differently_is_a_conflict(disk: str, recorded: str | None, old: str | None) -> None:
    """Both versions stand between the marks."""
    found = decide("notes.txt", disk, recorded, old, NEW)
    assert found.kind == "conflict"
    assert "mine\n" in (found.text or "")
    assert "FIVE\n" in (found.text or "")


MODULE = '"""A module."""\n\nfrom one import a\n{added}\nVALUE = 1\n'


def test_imports_are_sets() -> None:
    """Two people add a line at the same place, a third one goes."""
    old = MODULE.format(added="from two import gone\n")
    ours = MODULE.format(added="from two import gone\nfrom three import ours\n")
    theirs = MODULE.format(added="from four import theirs\n")
    found = decide("x.py", ours, digest(old.encode()), old, theirs)
    assert found.kind == "merged"
    kept = [line for line in (found.text or "").splitlines() if line.startswith("from")]
    assert kept == ["from four import theirs", "from one import a", "from three import ours"]


def test_a_result_that_does_not_parse_is_a_conflict() -> None:
    """The owner opens a bracket where the template closes one."""
    old = "A = [\n    1,\n    2,\n    3,\n]\n"
    ours = old.replace("A = [", "A = (")
    theirs = old.replace("    3,\n", "    3,\n    4,\n")
    assert decide("x.py", ours, digest(old.encode()), old, theirs).kind == "conflict"


PROJECT = '[project]\nname = "x" # ours\ndependencies = ["a>=1"]\n\n[tool.x]\nkey = 1\n'


def test_tables_merge_by_key_and_keep_comments() -> None:
    """The owner added a dependency and a comment, the template another dependency and a key."""
    ours = PROJECT.replace('"a>=1"', '"a>=1", "mine>=2"')
    theirs = PROJECT.replace('"a>=1"', '"a>=1", "b>=1"').replace("key = 1", "key = 1\nother = true")
    found = merge_tables(PROJECT, ours, theirs)
    assert found is not None
    text, clashes = found
    assert (clashes, "# ours" in text) == ((), True)
    assert '"mine>=2"' in text
    assert '"b>=1"' in text
    assert "other = true" in text


def test_a_key_that_both_sides_changed_is_a_clash() -> None:
    """The key is named."""
    found = merge_tables(PROJECT, PROJECT.replace("key = 1", "key = 2"), PROJECT.replace("key = 1", "key = 3"))
    assert found is not None
    assert found[1] == ("tool.x.key",)
