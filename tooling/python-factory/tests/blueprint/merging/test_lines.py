"""Line merge, held against ``git merge-file``."""

import random
import subprocess
from pathlib import Path

import pytest

from au_sys_python_factory.blueprint.merging.lines import merge

BASE = "".join(f"line {number}\n" for number in range(12))


def test_changes_in_different_places_are_both_kept() -> None:
    """One at the top, one at the bottom."""
    ours, theirs = BASE.replace("line 1\n", "ours\n"), BASE.replace("line 10\n", "theirs\n")
    found = merge(BASE, ours, theirs)
    assert ((), BASE.replace("line 1\n", "ours\n").replace("line 10\n", "theirs\n")) == (found.conflicts, found.text)


def test_equal_changes_count_once() -> None:
    """Both sides wrote the same."""
    both = BASE.replace("line 5\n", "same\n")
    assert both == merge(BASE, both, both).text


def test_different_changes_of_one_line_are_a_conflict_with_all_versions() -> None:
    """Nothing is decided, nothing is lost."""
    found = merge(BASE, BASE.replace("line 5\n", "ours\n"), BASE.replace("line 5\n", "theirs\n"))
    (conflict,) = found.conflicts
    assert (conflict.base, conflict.ours, conflict.theirs) == (("line 5\n",), ("ours\n",), ("theirs\n",))
    assert "<<<<<<< yours\nours\n=======\ntheirs\n>>>>>>> template\n" in found.text


def test_a_last_line_without_an_end_stays_so() -> None:
    """No line feed is added to a text that had none."""
    assert merge("a\nb", "a\nours", "a\nb").text == "a\nours"


def edited(generator: random.Random, lines: list[str], side: str) -> list[str]:
    """A few random insertions, deletions and replacements; every new line is unique."""
    result = list(lines)
    for number in range(generator.randint(1, 4)):
        at = generator.randrange(len(result))
        kind = generator.choice(("insert", "delete", "replace"))
        new = [f"{side} {number} {generator.random()}\n" for _ in range(generator.randint(1, 3))]
        result[at : at + (0 if kind == "insert" else 1)] = [] if kind == "delete" else new
    return result


def by_git(folder: Path, base: str, ours: str, theirs: str) -> tuple[int, str]:
    """What ``git merge-file`` makes of it: number of conflicts, text."""
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_text(text, encoding="utf-8")
    command = ["git", "merge-file", "-p", "-q", "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("start", range(10))
def test_no_edit_is_lost_in_random_pairs(start: int, tmp_path: Path) -> None:
    """100 pairs each: every new line of a side stands in the result, which is git's where neither has a conflict."""
    generator = random.Random(start)
    for _ in range(100):
        lines = [f"line {number} {generator.randrange(40)}\n" for number in range(generator.randint(6, 30))]
        ours, theirs = edited(generator, lines, "ours"), edited(generator, lines, "theirs")
        base = "".join(lines)
        found = merge(base, "".join(ours), "".join(theirs))
        text = found.text
        lost = [line for line in (*ours, *theirs) if line.startswith(("ours", "theirs")) and line not in text]
        conflicts, merged = by_git(tmp_path, base, "".join(ours), "".join(theirs))
        assert lost == []
        assert (merged == text) if not conflicts and not found.conflicts else bool(conflicts or found.conflicts)
