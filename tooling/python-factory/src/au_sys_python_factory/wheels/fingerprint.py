"""What a build of a member depends on, as one hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from au_sys_python_factory.wheels.members import Member

IGNORED_FOLDERS = frozenset({"__pycache__", ".shell", ".factory", ".venv", "node_modules"})
"""Never part of what is built."""

IGNORED_BESIDE_PYPROJECT = frozenset({"dist", "packages"})
"""Built files; ``packages`` is where a platform keeps its wheels."""

ONLY_IN_SDIST = frozenset({"tests", "changes", "gauntlet", "config"})
"""Folders beside ``src`` that a wheel never holds, so that editing a test does not rebuild the wheels of the shell."""


def fingerprint(member: Member, builder: str, *, wheel_only: bool) -> str:
    """SHA-256 over every file that the build may read, their paths, and the builder's pin.

    Modes and times are left out: the builder normalises them.
    """
    digest = hashlib.sha256(f"{builder}\0{member.name}\0{wheel_only}\0".encode())
    skip = IGNORED_BESIDE_PYPROJECT | (ONLY_IN_SDIST if wheel_only else frozenset())
    for path in _files(member.folder, skip):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(member.folder).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()


def source_files(member: Member) -> Iterator[Path]:
    """Every file that a build of wheel and sdist may read, in a fixed order."""
    return _files(member.folder, IGNORED_BESIDE_PYPROJECT)


def _files(folder: Path, skip: frozenset[str]) -> Iterator[Path]:
    for current, folders, names in os.walk(folder):
        top = Path(current) == folder
        folders[:] = sorted(
            name
            for name in folders
            if name not in IGNORED_FOLDERS and not name.endswith("_cache") and not (top and name in skip)
        )
        for name in sorted(names):
            path = Path(current) / name
            if not name.endswith((".pyc", ".pyo")) and path.is_file():
                yield path
