"""What an earlier run saw: imports of files and findings of members, by the content that they came from.

A member whose files are as they were is not parsed again: its files know their imports and nothing else, and its
findings are those of then. Where shared files (project files, the lock, example files) or the rules themselves changed,
nothing is taken over.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any  # Any: what JSON holds

from au_sys_python_factory.checks.allowed.waivers import Waiver
from au_sys_python_factory.checks.reading.project import (
    MemberFiles,
    Project,
    area_of,
    module_name,
    parse,
    python_files,
)
from au_sys_python_factory.checks.reading.source import Imported, SourceFile
from au_sys_python_factory.checks.rule import Finding
from au_sys_python_factory.workspace.members import Member, Workspace

FILE = ".factory/cache/check.json"
_NOWHERE = ast.Pass(lineno=1, col_offset=0)
_EMPTY = ast.Module(body=[], type_ignores=[])
_SHARED = ("uv.lock", ".importlinter", "pyproject.toml")
_NEEDED_BY_ALL = "BaseSettings"
"""A word that makes a file parsed always: settings are compared across members."""


class Remembered:
    """The cache of one workspace; a damaged or foreign one is empty."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._path = workspace.root / FILE
        self._key = _digest([_rules(), _shared(workspace), date.today().isoformat().encode()])
        self._kept = self._read()
        self._digests = {member.relative: _of_member(member) for member in workspace.members}

    def _read(self) -> dict[str, dict[str, Any]]:  # Any: JSON
        try:
            found = json.loads(self._path.read_bytes())
            members: dict[str, dict[str, Any]] = found["members"] if found["key"] == self._key else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return members

    def knows(self, member: Member) -> bool:
        """Whether a member is as it was."""
        kept = self._kept.get(member.relative)
        return kept is not None and kept["digest"] == self._digests[member.relative]

    def light(self, member: Member) -> tuple[SourceFile, ...]:
        """The files of a member that is as it was: imports only, but for those that all members are compared by."""
        kept = self._kept[member.relative]
        whole = {path: _whole(member, path) for path in kept["shared"]}
        return tuple(whole.get(path) or _light(member, path, rows) for path, rows in kept["imports"].items())

    def findings(self, member: Member) -> list[Finding]:
        """What was found in a member that is as it was."""
        return [Finding(**row) for row in self._kept[member.relative]["findings"]]

    def waivers(self, member: Member) -> list[Waiver]:
        """The waivers of a member that is as it was."""
        return [_waiver(row) for row in self._kept[member.relative]["waivers"]]

    def waived(self, member: Member) -> int:
        """How many findings they allowed."""
        return int(self._kept[member.relative]["waived"])

    def keep(
        self, project: Project, findings: Iterable[Finding], waivers: Iterable[Waiver], waived: Mapping[str, int]
    ) -> None:
        """Write down what a whole run saw; a place that cannot be written costs only time."""
        found, listed = list(findings), list(waivers)
        members = {
            item.member.relative: self._kept[item.member.relative]
            if self.knows(item.member)
            else self._row(item, found, listed, waived)
            for item in project.members
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            staged = self._path.with_suffix(f".{os.getpid()}")
            staged.write_text(json.dumps({"key": self._key, "members": members}), encoding="utf-8")
            staged.replace(self._path)
        except OSError:
            return  # the next run looks at everything again

    def _row(
        self, item: MemberFiles, findings: list[Finding], waivers: list[Waiver], waived: Mapping[str, int]
    ) -> dict[str, Any]:  # Any: JSON
        inside = f"{item.member.relative}/"
        return {
            "digest": self._digests[item.member.relative],
            "shared": [file.relative for file in item.source if _NEEDED_BY_ALL in file.text],
            "imports": {
                file.relative: [[one.module, one.name, one.alias, one.typing_only] for one in file.imports]
                for file in item.files
            },
            "findings": [asdict(one) for one in findings if one.path.startswith(inside)],
            "waivers": [_row_of(one) for one in waivers if one.path.startswith(inside)],
            "waived": waived.get(item.member.relative, 0),
        }


def read_remembering(workspace: Workspace, remembered: Remembered) -> tuple[Project, set[str]]:
    """The workspace with members parsed that changed; the others, named in the set, with imports only."""
    project = Project(workspace)
    known: set[str] = set()
    for member in workspace.members:
        if remembered.knows(member):
            known.add(member.relative)
            project.members.append(MemberFiles(member, project, remembered.light(member)))
            continue
        parsed = [parse(path, area, member) for path, area in python_files(member)]
        files = tuple(item for item in parsed if isinstance(item, SourceFile))
        unreadable = tuple(item for item in parsed if not isinstance(item, SourceFile))
        project.members.append(MemberFiles(member, project, files, unreadable))
    return project, known


def _light(member: Member, relative: str, rows: list[list[Any]]) -> SourceFile:  # Any: JSON
    path = member.root / relative
    area = area_of(member, path)
    made = SourceFile(path, relative, module_name(member, path, area), area, member, "", _EMPTY)
    made.__dict__["imports"] = [Imported(row[0], row[1], row[2], _NOWHERE, row[3]) for row in rows]  # type: ignore[arg-type]  # no finding of a light file is shown, so no place is asked
    return made


def _whole(member: Member, relative: str) -> SourceFile | None:
    path = member.root / relative
    found = parse(path, area_of(member, path), member)
    return found if isinstance(found, SourceFile) else None


def _row_of(waiver: Waiver) -> dict[str, object]:
    expires = waiver.expires.isoformat() if waiver.expires else ""
    return {
        "path": waiver.path, "line": waiver.line, "ids": sorted(waiver.ids), "reason": waiver.reason,
        "pattern": waiver.pattern, "expires": expires, "used": sorted(waiver.used),
    }  # fmt: skip


def _waiver(row: dict[str, Any]) -> Waiver:  # Any: JSON
    expires = date.fromisoformat(row["expires"]) if row["expires"] else None
    ids, used = frozenset(row["ids"]), set(row["used"])
    return Waiver(row["path"], row["line"], ids, row["reason"], row["pattern"], expires, used)


def _of_member(member: Member) -> str:
    """A digest of everything in a member that a rule may look at."""
    parts: list[bytes] = []
    for folder, folders, names in os.walk(member.path):
        wheels = {"packages"} if folder == str(member.path) and member.role == "platform" else set()
        folders[:] = sorted(name for name in folders if name not in _PASSED_OVER | wheels)
        for name in sorted(names):
            if not name.endswith((".pyc", ".db", ".whl")):
                path = os.path.join(folder, name)
                parts += [path.encode(), _bytes(path)]
    return _digest(parts)


_PASSED_OVER = {"__pycache__", ".venv", "node_modules", ".git", "dist", "build", ".shell", ".pytest_cache"}


def _bytes(path: str | Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _shared(workspace: Workspace) -> bytes:
    projects = [member.path / "pyproject.toml" for member in workspace.members]
    shells = [path for shell in workspace.platforms for path in sorted(shell.path.glob("config/*"))]
    return _digest(
        [_bytes(workspace.root / name) for name in _SHARED] + [_bytes(path) for path in projects + shells]
    ).encode()


def _rules() -> bytes:
    """A digest of the rules themselves."""
    folder = Path(__file__).parent
    return _digest(_bytes(path) for path in sorted(folder.rglob("*.py"))).encode()


def _digest(parts: Iterable[bytes]) -> str:
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()
