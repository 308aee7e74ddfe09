"""What an earlier run saw, by the stamps of the files that it came from (size, time of change, node).

A member whose files are as they were is not looked at again. In one that changed, only files that changed are parsed;
the others know their imports and what the rules about single files found, and are parsed when a rule about the whole
member asks. Rules across members are asked anew each time. A file that changed in the moment of an earlier run counts
as changed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any  # Any: what JSON holds

from au_sys_python_factory.checks.reading.light import LightFile, Row
from au_sys_python_factory.checks.reading.project import PASSED_OVER
from au_sys_python_factory.workspace.members import Member, Workspace
from au_sys_python_factory.workspace.requirements import canonical, requirement_name
from au_sys_python_factory.workspace.tables import table

FILE = ".factory/cache/check.json"
_MOMENT = 10_000_000
"""Nanoseconds within which a clock may not tell a change from the one before."""

_LEFT_OUT = PASSED_OVER - {".factory"} | {".pytest_cache", ".mypy_cache", ".ruff_cache"}
Stamp = list[int]


class Remembered:
    """The cache of one workspace; a damaged or foreign one is empty."""

    def __init__(self, workspace: Workspace) -> None:
        self.began = time.time_ns()
        self._workspace = workspace
        self._path = workspace.root / FILE
        self._kept = self._read()
        self._stamps: dict[str, dict[str, Stamp]] = {}

    @cached_property
    def _key(self) -> str:
        places = [Path(__file__).parents[1], *(shell.path / "gauntlet" for shell in self._workspace.platforms)]
        stamps = [(path, stamp) for place in places for path, stamp in sorted(_walked(str(place)).items())]
        groups = table(self._workspace.settings, "dependency-groups")
        return _digest([sys.version, stamps, groups, _tags(self._workspace.root)])

    def _read(self) -> dict[str, Row]:
        try:
            found = json.loads(self._path.read_bytes())
            members: dict[str, Row] = found["members"] if found["key"] == self._key else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return members

    def stamps(self, member: Member) -> dict[str, Stamp]:
        """Every file of a member that a rule may look at, by its path from the root."""
        found = self._stamps.get(member.relative)
        if found is None:
            left_out = str(member.path / "packages") if member.role == "platform" else ""
            start = len(str(member.root)) + 1
            walked = _walked(str(member.path), left_out)
            found = self._stamps[member.relative] = {
                path[start:].replace(os.sep, "/"): stamp for path, stamp in sorted(walked.items())
            }
        return found

    def kept(self, member: Member) -> Row | None:
        """What is known of a member that is as it was."""
        row = self._kept.get(member.relative)
        good = row is not None and row["digest"] == self.digest(member) and self._old(self.stamps(member).values(), row)
        return row if good else None

    def light(self, member: Member) -> dict[str, LightFile]:
        """The files of a member that are as they were, by their path from the root."""
        row = self._kept.get(member.relative)
        if row is None:
            return {}
        files: dict[str, Row] = row["files"]
        stamps = self.stamps(member)
        return {
            relative: LightFile(relative, known, member)
            for relative, known in files.items()
            if known["stamp"] == stamps.get(relative) and self._old([known["stamp"]], row)
        }

    def _old(self, stamps: Iterable[Stamp], row: Row) -> bool:
        """Whether the files were left alone for a moment before they were read."""
        began: int = row["began"]
        return max((stamp[1] for stamp in stamps), default=0) < began - _MOMENT

    def digest(self, member: Member) -> str:
        """All that rules about a member may look at: its files, and the siblings that it asks for."""
        lines = (*member.dependencies, *member.optional_dependencies)
        asked = {requirement_name(line) for line in lines}
        siblings = [
            (other.dist, other.version, other.import_name)
            for other in self._workspace.members
            if canonical(other.dist) in asked
        ]
        return _digest([list(self.stamps(member).items()), siblings])

    def keep(self, rows: dict[str, Row]) -> None:
        """Write down what a whole run saw; a place that cannot be written costs only time."""
        if all(self._kept.get(name) is row for name, row in rows.items()) and rows.keys() == self._kept.keys():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            staged = self._path.with_suffix(f".{os.getpid()}")
            staged.write_text(json.dumps({"key": self._key, "members": rows}), encoding="utf-8")
            staged.replace(self._path)
        except OSError:
            return  # the next run looks at everything again


def _walked(folder: str, left_out: str = "") -> dict[str, Stamp]:
    """Every file below a folder with its stamp; links to folders are not followed."""
    found: dict[str, Stamp] = {}
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop()):
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                if name not in _LEFT_OUT and entry.path != left_out:
                    waiting.append(entry.path)
            elif not name.endswith((".pyc", ".db", ".whl")):
                state = entry.stat(follow_symlinks=False)
                found[entry.path] = [state.st_size, state.st_mtime_ns, state.st_ino]
    return found


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return  # a folder that nobody may read, or that is gone: what is in it is not ours


def _tags(root: Path) -> list[Stamp]:
    """Stamps of where git keeps the names of releases."""
    found = _walked(str(root / ".git" / "refs" / "tags"))
    packed = root / ".git" / "packed-refs"
    return [*found.values(), *([[packed.stat().st_mtime_ns]] if packed.is_file() else [])]


def _digest(value: Any) -> str:  # Any: lists, texts and numbers
    return blake2b(repr(value).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
