"""A plan reads history, fragments and interfaces; what does not fit together stops it and is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.release.scratch import NOTES, Scratch

pytestmark = pytest.mark.needs_uv
Copy = Callable[[Scratch], Scratch]
SOURCE = "packages/tiny-notes/src/tiny_notes/__init__.py"
CHANGES = "packages/tiny-notes/changes"
LOG = """# Changes

What users of this package notice, newest first.

## 0.2.0 (2026-01-31)

### Breaking

- Marks are gone.

### Fixed

- Long notes are kept whole.

## 0.1.0 (2026-01-31)

### Added

- It is there.
"""


def stopped(scratch: Scratch) -> str:
    """What the plan says when it must not go on."""
    done = scratch.release("plan")
    assert done.exit_code == 1, done.output
    return done.output


def test_a_plan_is_pure(begun: Scratch) -> None:
    """Twice the same, dependencies first, nothing written; the first release has the versions as written."""
    before = begun.state
    first = begun.release("plan", "--json")
    assert (first.exit_code, begun.release("plan", "--json").output, begun.state) == (0, first.output, before)
    plan = begun.plan()
    assert {name: item["version"] for name, item in plan.items()} == {
        "tiny-runtime": "1.0.0",
        "tiny-notes": "0.1.0",
        "tiny-shell": "1.0.0",
    }
    assert list(plan) == ["tiny-runtime", "tiny-notes", "tiny-shell"]


def test_a_change_without_a_fragment_stops_it(applied: Scratch, copy: Copy) -> None:
    """The package and the changed file are named; a changed test needs no fragment."""
    scratch = copy(applied)
    scratch.write("packages/tiny-notes/tests/test_it.py", "")
    scratch.commit()
    assert scratch.release("plan").exit_code == 0
    scratch.write(SOURCE, NOTES + "\n# more\n")
    scratch.commit()
    assert "packages/tiny-notes: changed since its last release without a fragment: src/tiny_notes" in stopped(scratch)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("broken.md", "Text.", "not the name of a fragment"),
        ("more.magic.md", "Text.", "no kind of change is called magic"),
        ("empty.fixed.md", "\n", "is empty"),
    ],
)
def test_a_wrong_fragment_stops_it(name: str, text: str, said: str, applied: Scratch, copy: Copy) -> None:
    """File, what is wrong, and the right form."""
    scratch = copy(applied)
    scratch.write(f"{CHANGES}/{name}", text)
    found = stopped(scratch)
    assert (f"{CHANGES}/{name}" in found, said in found, "fix:" in found) == (True, True, True)


def test_a_broken_interface_needs_a_breaking_fragment(applied: Scratch, copy: Copy) -> None:
    """A parameter that is gone is named; with the fragment the minor is raised below 1.0, and the log says it."""
    scratch = copy(applied)
    scratch.write(SOURCE, NOTES.replace(', mark: str = ""', "").replace("text + mark", "text"))
    scratch.write(f"{CHANGES}/long.fixed.md", "Long notes are\nkept whole.\n")
    scratch.commit()
    found = stopped(scratch)
    assert ("its interface breaks: tiny_notes.keep" in found, "parameter was removed" in found) == (True, True), found
    scratch.write(f"{CHANGES}/marks.breaking.md", "Marks are gone.\n")
    scratch.commit()
    assert {name: item["version"] for name, item in scratch.plan().items()} == {"tiny-notes": "0.2.0"}
    scratch.apply()
    assert (scratch.root / "packages/tiny-notes/CHANGELOG.md").read_text() == LOG
    assert list((scratch.root / CHANGES).glob("*.md")) == []


def test_a_new_name_raises_the_minor(applied: Scratch, copy: Copy) -> None:
    """Even where the author calls it a fix."""
    scratch = copy(applied)
    scratch.write(SOURCE, NOTES.replace('["keep"]', '["drop", "keep"]') + '\n\ndef drop() -> None:\n    """Drop."""\n')
    scratch.write(f"{CHANGES}/drop.fixed.md", "Notes can be dropped.\n")
    assert scratch.plan()["tiny-notes"]["version"] == "0.2.0"


def test_bounds_and_floors_follow_a_major(applied: Scratch, copy: Copy) -> None:
    """Dependents that exclude the new version are widened and released; a marked floor is filled in."""
    scratch = copy(applied)
    scratch.write("packages/tiny-runtime/changes/all.breaking.md", "Everything is other.\n")
    pyproject = scratch.root / "packages/tiny-notes/pyproject.toml"
    waiting = 'dependencies = [\n    "tiny-runtime>=1,<2",  # floor: next release\n]'
    pyproject.write_text(pyproject.read_text().replace('dependencies = ["tiny-runtime>=1,<2"]', waiting))
    scratch.write(f"{CHANGES}/needs.internal.md", "It needs the new one.\n")
    scratch.commit()
    plan = scratch.plan()
    assert plan["tiny-notes"]["bounds"] == [{"before": "tiny-runtime>=1,<2", "after": "tiny-runtime>=2.0.0,<3"}]
    assert (plan["tiny-runtime"]["version"], plan["tiny-shell"]["version"]) == ("2.0.0", "1.0.1")
    scratch.apply()
    assert '"tiny-runtime>=2.0.0,<3",\n' in pyproject.read_text()
    shell = (scratch.root / "platforms/tiny_shell/pyproject.toml").read_text()
    assert 'dependencies = ["tiny-runtime>=2.0.0,<3", "tiny-notes>=0.1.1,<1"]' in shell
    assert scratch.factory("wheels", "build", "--no-proof").exit_code == 0
    assert scratch.release("plan").output.startswith("nothing to release")


def test_versions_and_tags_by_hand_stop_it(applied: Scratch, copy: Copy) -> None:
    """A version that went backwards, one that was raised, and a tag that is not on the branch."""
    scratch = copy(applied)
    pyproject = scratch.root / "packages/tiny-runtime/pyproject.toml"
    text = pyproject.read_text()
    for version, said in (("0.9.0", "went backwards from 1.0.0"), ("1.5.0", "was raised by hand from 1.0.0")):
        pyproject.write_text(text.replace('version = "1.0.0"', f'version = "{version}"'))
        assert f"version {version} {said}" in stopped(scratch)
    pyproject.write_text(text)
    scratch.git("switch", "--quiet", "--create", "elsewhere")
    scratch.git("commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
    scratch.git("tag", "tiny-runtime/v3.0.0")
    scratch.git("switch", "--quiet", "main")
    assert "tiny-runtime/v3.0.0: this tag is not in the history" in stopped(scratch)
