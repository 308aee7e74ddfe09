"""A kill and a full disk at every single change of the file system leave old or new, and the next command works."""

import hashlib
import importlib.util
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.apply import apply, turn, writing
from au_sys_python_factory.plan.model import Plan, write

MOST = 200


def _faults() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plan_faults", Path(__file__).with_name("faults.py"))
    if spec is None or spec.loader is None:
        raise ImportError("faults.py is not beside this file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["plan_faults"] = module
    spec.loader.exec_module(module)
    return module


FAULTS = _faults()


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Digest and mode of every file outside the journal; folders too."""
    found = [path for path in sorted(root.rglob("*")) if ".factory" not in path.parts]
    return {
        str(path.relative_to(root)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder",
            path.stat().st_mode,
        )
        for path in found
    }


def planned(root: Path) -> Plan:
    """A creation in new folders, two edits, a deletion."""
    return Plan(
        "example",
        (
            write(root, "new/deep/file.txt", "made\n", "new"),
            write(root, "kept.txt", b"one\r\nthree", "edit"),
            write(root, "tool.sh", "#!/bin/sh\ntrue\n", "edit"),
            write(root, "part/gone/old.txt", None, "not needed"),
        ),
    )


def laid_out(root: Path) -> Path:
    """Two files, one of them executable, and one that goes."""
    (root / "part/gone").mkdir(parents=True)
    (root / "kept.txt").write_bytes(b"one\r\ntwo")
    (root / "tool.sh").write_text("#!/bin/sh\n")
    (root / "tool.sh").chmod(0o755)
    (root / "part/gone/old.txt").write_text("old\n")
    return root


@pytest.mark.parametrize("killed", [True, False], ids=["kill", "full disk"])
@pytest.mark.parametrize("step", ["apply", "undo"])
def test_old_or_new_and_nothing_between(step: str, killed: bool, tmp_path: Path) -> None:
    """Whatever number the failing change has."""
    for number in range(1, MOST):
        root = tmp_path / str(number)
        root.mkdir()
        laid_out(root)
        before = tree(root)
        if step == "undo":
            with writing(root):
                entry = apply(root, planned(root))
        old = tree(root)
        faults = FAULTS.Faults(number, killed=killed)
        with pytest.MonkeyPatch.context() as patch:
            FAULTS.install(patch, faults)
            with suppress(Refused, FAULTS.Killed), writing(root):
                if step == "apply":
                    entry = apply(root, planned(root))
                elif entry is not None:
                    turn(root, entry, "before")
        if faults.seen < number:
            assert number > 8
            return
        with writing(root):
            after = tree(root)
        if step == "apply":
            assert after in (before, _done(tmp_path / f"whole-{number}")), f"change {number}"
        else:
            assert after in (old, before), f"change {number}"
        with writing(root):
            apply(root, Plan("next", (write(root, "next.txt", "works\n", "next"),)))
        assert (root / "next.txt").read_text() == "works\n"
    raise AssertionError("an apply has no end")


def _done(root: Path) -> dict[str, tuple[str, int]]:
    root.mkdir()
    laid_out(root)
    with writing(root):
        apply(root, planned(root))
    return tree(root)
