"""The members of a workspace, asked from the root's pyproject.toml; there is no list to keep by hand."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from au_sys_python_factory.errors import Refused
from au_sys_python_factory.workspace.tables import Table, read_table, strings, table

Role = Literal["runtime", "capability", "service", "platform", "tool", "library"]

RUNTIME = "fastapi-services-platform"
PLUGIN_GROUP = "au_sys_plugins"


@dataclass(frozen=True)
class Member:
    """One member: where it is, what it is called, what it is for."""

    root: Path
    path: Path
    pyproject: Table

    @property
    def relative(self) -> str:
        """The folder, as seen from the workspace root, with forward slashes."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def project(self) -> Table:
        """The ``[project]`` table, empty where it is missing."""
        return table(self.pyproject, "project")

    @cached_property
    def dist(self) -> str:
        """The distribution's name."""
        return str(self.project.get("name", self.path.name))

    @property
    def version(self) -> str:
        """The static version."""
        return str(self.project.get("version", "0"))

    @cached_property
    def source(self) -> Path | None:
        """The import package below ``src``; ``None`` for a member without code."""
        folder = self.path / "src"
        if not folder.is_dir():
            return None
        named = folder / self.dist.replace("-", "_")
        if named.is_dir():
            return named
        found = sorted(child for child in folder.iterdir() if (child / "__init__.py").is_file())
        return found[0] if found else None

    @property
    def import_name(self) -> str | None:
        """What ``import`` calls it."""
        return self.source.name if self.source else None

    @cached_property
    def role(self) -> Role:
        """What the member is for, read from its folder, its name and its entry points."""
        first = self.relative.split("/")[0]
        if self.dist == RUNTIME:
            return "runtime"
        if first == "platforms":
            return "platform"
        if first == "tooling":
            return "tool"
        if first == "services":
            return "service"
        plugin = self.source is not None and (self.source / "manifest").is_dir()
        return "capability" if plugin or self.plugins else "library"

    @property
    def tri_layer(self) -> bool:
        """Whether the shape manifest, adapters, core is asked of it."""
        return self.role in ("capability", "service")

    @property
    def plugins(self) -> dict[str, str]:
        """Entry points that the runtime discovers."""
        group = table(table(self.project, "entry-points"), PLUGIN_GROUP)
        return {name: str(target) for name, target in group.items()}

    @property
    def dependencies(self) -> list[str]:
        """Requirement lines of production code."""
        return strings(self.project.get("dependencies"))

    @property
    def optional_dependencies(self) -> list[str]:
        """Requirement lines of every extra."""
        extras = table(self.project, "optional-dependencies")
        return [line for lines in extras.values() for line in strings(lines)]


@dataclass(frozen=True)
class Workspace:
    """The root and its members, sorted by folder."""

    root: Path
    members: tuple[Member, ...]

    @property
    def pyproject(self) -> Path:
        """The root's pyproject.toml."""
        return self.root / "pyproject.toml"

    @cached_property
    def settings(self) -> Table:
        """The root's pyproject.toml."""
        return read_table(self.pyproject)

    @cached_property
    def by_import_name(self) -> dict[str, Member]:
        """Members by what ``import`` calls them."""
        return {member.import_name: member for member in self.members if member.import_name}

    @cached_property
    def by_dist(self) -> dict[str, Member]:
        """Members by distribution name."""
        return {member.dist: member for member in self.members}

    @property
    def platforms(self) -> tuple[Member, ...]:
        """Members that are deployable compositions."""
        return tuple(member for member in self.members if member.role == "platform")


def find_workspace(start: Path) -> Workspace:
    """The nearest parent with ``[tool.uv.workspace]``, read with all its members.

    Raises:
        Refused: there is none, or a pyproject.toml is damaged.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if is_root(folder):
            return read_workspace(folder)
    raise Refused(
        f"{start} is in no workspace.",
        fix="change into one, name it with --workspace, or put [tool.uv.workspace] with members "
        "into a root pyproject.toml.",
    )


def is_root(folder: Path) -> bool:
    """Whether the folder's pyproject.toml opens a workspace; a damaged one counts, so that it is reported."""
    file = folder / "pyproject.toml"
    if not file.is_file():
        return False
    try:
        return "workspace" in table(table(tomllib.loads(file.read_text(encoding="utf-8")), "tool"), "uv")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return "tool.uv.workspace" in file.read_text(encoding="utf-8", errors="replace")


def read_workspace(root: Path) -> Workspace:
    """The workspace whose root is known.

    Raises:
        Refused: a pyproject.toml is damaged; the message has file and line.
    """
    settings = table(table(table(read_table(root / "pyproject.toml"), "tool"), "uv"), "workspace")
    excluded = {path for pattern in strings(settings.get("exclude")) for path in root.glob(pattern)}
    folders = {
        path
        for pattern in strings(settings.get("members"))
        for path in root.glob(pattern)
        if (path / "pyproject.toml").is_file() and path not in excluded
    }
    return Workspace(root, tuple(Member(root, path, read_table(path / "pyproject.toml")) for path in sorted(folders)))
