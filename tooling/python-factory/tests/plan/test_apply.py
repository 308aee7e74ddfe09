"""All files or none; what was there before can always be had back, byte for byte."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.apply import apply, turn, writing
from au_sys_python_factory.plan.journal import Journal
from au_sys_python_factory.plan.model import Plan, difference, write


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Digest and mode of every file outside the journal."""
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and ".factory" not in path.parts]
    return {
        str(path.relative_to(root)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
        for path in found
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two files, one of them executable."""
    (tmp_path / "kept.txt").write_bytes(b"one\r\ntwo")
    (tmp_path / "tool.sh").write_text("#!/bin/sh\n")
    (tmp_path / "tool.sh").chmod(0o755)
    (tmp_path / "part" / "gone").mkdir(parents=True)
    (tmp_path / "part" / "gone" / "old.txt").write_text("old\n")
    return tmp_path


def plan(root: Path) -> Plan:
    """One creation in new folders, two edits, one deletion."""
    operations = (
        write(root, "new/deep/file.txt", "made\n", "new"),
        write(root, "kept.txt", b"one\r\nthree", "edit"),
        write(root, "tool.sh", "#!/bin/sh\ntrue\n", "edit"),
        write(root, "part/gone/old.txt", None, "not needed"),
    )
    return Plan("example", operations)


def test_apply_and_undo_and_redo_are_exact(root: Path) -> None:
    """Bytes, modes and folders."""
    before = tree(root)
    with writing(root):
        entry = apply(root, plan(root))
    assert entry is not None
    after = tree(root)
    assert ((root / "part" / "gone").exists(), (root / "tool.sh").stat().st_mode & 0o777) == (False, 0o755)
    with writing(root):
        turn(root, entry, "before")
    assert (before, False) == (tree(root), (root / "new").exists())
    with writing(root):
        turn(root, Journal(root).entry(entry.id), "after")
    assert after == tree(root)


def test_the_difference_is_what_apply_writes(root: Path) -> None:
    """Every changed file is in the diff, the others are not."""
    shown = [line for line in difference(root, plan(root)) if line.startswith("+++ ")]
    assert shown == ["+++ b/new/deep/file.txt", "+++ b/kept.txt", "+++ b/tool.sh", "+++ /dev/null"]


def test_a_file_that_changed_since_the_plan_stops_everything(root: Path) -> None:
    """Nothing is written when one file is not as the plan saw it."""
    made = plan(root)
    (root / "kept.txt").write_text("somebody was faster\n")
    before = tree(root)
    with writing(root), pytest.raises(Refused, match=r"kept\.txt"):
        apply(root, made)
    assert before == tree(root)


def test_undo_after_later_edits_is_refused_with_the_list(root: Path) -> None:
    """Work of the owner is not lost."""
    with writing(root):
        entry = apply(root, plan(root))
    assert entry is not None
    (root / "kept.txt").write_text("mine\n")
    with writing(root), pytest.raises(Refused, match=r"kept\.txt"):
        turn(root, entry, "before")


def dying_at(number: int, real: Callable[[str, str], None]) -> Callable[[str, str], None]:
    """A rename that ends the process when it is called for the nth time on a staged file."""
    calls: list[str] = []

    def rename(source: str, target: str) -> None:
        if "staging" in str(source):
            calls.append(str(target))
            if len(calls) == number:
                raise KeyboardInterrupt
        real(source, target)

    return rename


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_interrupted_apply_is_taken_back_by_the_next_command(
    number: int, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies at one of the renames; the next command finds the tree as before."""
    before = tree(root)
    real = os.replace
    monkeypatch.setattr(os, "replace", dying_at(number, real))
    with pytest.raises(KeyboardInterrupt), writing(root):
        apply(root, plan(root))
    monkeypatch.setattr(os, "replace", real)
    with writing(root) as messages:
        assert len(messages) == 1
    assert before == tree(root)


def test_a_full_disk_leaves_everything_as_before(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the place, the tree is the old one."""
    before = tree(root)
    real = os.replace

    def full(source: str, target: str) -> None:
        if "staging" in str(source) and str(target).endswith("tool.sh"):
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with writing(root), pytest.raises(Refused, match="No space left"):
        apply(root, plan(root))
    assert before == tree(root)


@pytest.mark.parametrize("path", ["../outside.txt", "/tmp/outside.txt"])
def test_no_plan_leads_out_of_the_workspace(root: Path, path: str) -> None:
    """Neither by dots nor by an absolute path."""
    with writing(root), pytest.raises(Refused, match="out of the workspace"):
        apply(root, Plan("escape", (write(root, path, "x", "x"),)))


def test_a_symbolic_link_is_never_followed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A folder that leads elsewhere is refused."""
    (root / "link").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    with writing(root), pytest.raises(Refused, match="symbolic link"):
        apply(root, Plan("link", (write(root, "link/file.txt", "x", "x"),)))


def test_a_damaged_entry_is_refused_and_the_others_stay(root: Path) -> None:
    """One broken pre-image does not cost the journal."""
    with writing(root):
        first = apply(root, Plan("first", (write(root, "kept.txt", "1", "x"),)))
        second = apply(root, Plan("second", (write(root, "tool.sh", "2", "x"),)))
    assert first is not None
    assert second is not None
    (root / ".factory" / "journal" / first.id / "0.before").write_bytes(b"broken")
    with writing(root):
        with pytest.raises(Refused, match="damaged"):
            turn(root, first, "before")
        turn(root, second, "before")
    assert (root / "tool.sh").read_text() == "#!/bin/sh\n"
