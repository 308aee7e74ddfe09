"""The members of a uv workspace, as their pyproject files describe them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from au_sys_python_factory.errors import UsageError


@dataclass(frozen=True, slots=True)
class Member:
    """One distribution of the workspace."""

    name: str
    version: str
    folder: Path
    scripts: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The name as wheel and sdist file names spell it (PEP 625)."""
        return canonicalize_name(self.name).replace("-", "_")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where the workspace is, and what is in it."""

    root: Path
    members: tuple[Member, ...]

    def member(self, name: str) -> Member:
        """The member of that name.

        Raises:
            UsageError: there is none; the message lists those that are.
        """
        for member in self.members:
            if member.name == name:
                return member
        known = ", ".join(member.name for member in self.members)
        raise UsageError(f"no workspace member is called {name}", fix=f"members are {known}")


def find_workspace(start: Path) -> Workspace:
    """The workspace that ``start`` lies in.

    Raises:
        UsageError: no folder above holds ``[tool.uv.workspace]``, or a member's ``pyproject.toml`` is not readable.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        table = _uv_table(folder / "pyproject.toml")
        if "workspace" in table:
            return Workspace(folder, tuple(_members(folder, table["workspace"])))
    raise UsageError("no uv workspace here", where=str(start), fix="call this inside the repository")


def _uv_table(path: Path) -> dict[str, dict[str, list[str]]]:
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not valid TOML: {error}", where=str(path), fix="correct the file") from None
    table: dict[str, dict[str, list[str]]] = document.get("tool", {}).get("uv", {})
    return table


def _members(root: Path, table: dict[str, list[str]]) -> list[Member]:
    excluded = {path for pattern in table.get("exclude", []) for path in root.glob(pattern)}
    folders = {
        path.parent
        for pattern in table.get("members", [])
        for path in root.glob(f"{pattern}/pyproject.toml")
        if path.parent not in excluded
    }
    return [_member(folder) for folder in sorted(folders)]


def _member(folder: Path) -> Member:
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        return Member(project["name"], project["version"], folder, tuple(sorted(project.get("scripts", {}))))
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise UsageError(
            f"no [project] table with a name and a static version ({error})", where=str(path), fix="correct the file"
        ) from None
