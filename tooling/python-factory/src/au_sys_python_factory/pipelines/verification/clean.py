"""A clean environment of the package's wheel with the wheels of what it stands on.

Everything but the new wheel and the platform's is installed once and kept: a further environment begins as links to
those files. It is made again when the lock, another wheel or the Python is another one. What a platform's databases
hold after their first start is kept beside it in the same way, with the account that was made there; it is served to
nobody but the verification.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.shell.assembly.platform_folder import PlatformFolder
from au_sys_python_factory.shell.supervision.state import StateFolder
from au_sys_python_factory.wheels.building import Built, BuiltFile
from au_sys_python_factory.wheels.environment import COMPLETE, export_lock, make_environment
from au_sys_python_factory.wheels.uv import run_uv

KEPT = ".factory/cache/verification"
_KEY = "key"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept between verifications of one workspace."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / KEPT

    @property
    def venv(self) -> Path:
        """The environment of everything but the new wheel."""
        return self.folder / "venv"

    @property
    def state(self) -> StateFolder:
        """Databases and secrets as they were before the new capability."""
        return StateFolder(self.folder / "state")


def make_clean(kept: Kept, place: PlatformFolder, built: Built, dist: str, state: StateFolder) -> int:
    """The environment of ``state``: exactly the closure of ``place``; gives the number of its packages.

    Raises:
        UvFailed: the wheels do not install, or do not fit each other.
    """
    requirements = export_lock(place.workspace.root, [place.member.name])
    fresh = {dist, place.member.name}  # a platform's own wheel names what is wired into it
    others = [wheel for wheel in built.wheels if wheel.member not in fresh]
    new = [wheel for wheel in built.wheels if wheel.member in fresh]
    kept.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = make_environment(kept.venv, root=kept.root, requirements=requirements, wheels=others, relocatable=True)
    if made.made or _read(kept) != _key(place, requirements, others):
        shutil.rmtree(kept.state.root, ignore_errors=True)
        (kept.folder / _KEY).write_text(_key(place, requirements, others), "utf-8")
    shutil.copytree(kept.venv, state.venv, symlinks=True, copy_function=_linked)
    (state.venv / COMPLETE).unlink()
    python = str(state.venv / "bin" / "python")
    files = [str(wheel.path.resolve()) for wheel in new]
    target = ["--quiet", "--python", python, "--no-config", "--offline"]
    run_uv(["pip", "install", *target, "--no-deps", *files], doing="installing the new wheels", folder=kept.root)
    run_uv(["pip", "check", "--quiet", "--python", python], doing="uv pip check", folder=kept.root)
    return made.packages + len(new)


def _linked(source: str, target: str) -> None:
    """A second name for a file where the file system can, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _key(place: PlatformFolder, requirements: str, wheels: Sequence[BuiltFile]) -> str:
    parts = [requirements, *sorted(f"{wheel.path.name} {wheel.sha256}" for wheel in wheels), place.member.name]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(kept: Kept) -> str:
    path = kept.folder / _KEY
    return path.read_text("utf-8") if path.is_file() else ""
