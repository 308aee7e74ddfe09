"""Build once more from a copy on another path, with another umask, time zone and times: the files must be the same."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from au_sys_python_factory.errors import FactoryError
from au_sys_python_factory.wheels.building import Built, build
from au_sys_python_factory.wheels.fingerprint import source_files
from au_sys_python_factory.wheels.members import Workspace, find_workspace

_FAR_AWAY = "Pacific/Kiritimati"


def prove_reproducible(workspace: Workspace, built: Built) -> int:
    """Build again what was built now, elsewhere, and compare hashes; the number of files that were compared.

    Raises:
        FactoryError: a file differs, by name.
    """
    if not built.rebuilt:
        return 0
    folder = Path(tempfile.mkdtemp(prefix="fsp-twice-"))
    try:
        twin = _copy(workspace, folder / "a place with another name")
        chosen = [member for member in twin.members if member.name in built.rebuilt]
        with _time_zone(_FAR_AWAY):
            again = build(twin, chosen, folder / "out", sdists=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    hashes = {file.path.name: file.sha256 for file in built.files}
    differing = sorted(file.path.name for file in again.files if hashes.get(file.path.name) != file.sha256)
    if differing:
        raise FactoryError(
            f"built twice, these files differ: {', '.join(differing)}",
            fix="look for times, paths, modes or an order of files that the build takes from its surroundings",
        )
    return len(again.files)


def _copy(workspace: Workspace, target: Path) -> Workspace:
    """The files that builds read, without their times, for their owner only; what is executable is part of them."""
    with _umask(0o077):
        _copy_files(workspace.root, target, [workspace.root / "pyproject.toml", workspace.root / "uv.lock"])
        ignored = workspace.root / ".gitignore"
        _copy_files(workspace.root, target, [ignored] if ignored.is_file() else [])
        for member in workspace.members:
            _copy_files(workspace.root, target, list(source_files(member)))
    return find_workspace(target)


def _copy_files(root: Path, target: Path, files: Sequence[Path]) -> None:
    for path in files:
        copied = target / path.relative_to(root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(path.read_bytes())
        if path.stat().st_mode & stat.S_IXUSR:
            copied.chmod(copied.stat().st_mode | stat.S_IXUSR)


@contextmanager
def _umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _time_zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name  # for the builder, which is a process of its own
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
