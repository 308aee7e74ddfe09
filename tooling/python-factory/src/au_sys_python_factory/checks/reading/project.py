"""Everything that rules look at: members with their parsed files, and what could not be parsed."""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Area, Hit
from au_sys_python_factory.workspace.members import Member, Workspace

LARGEST = 2_000_000
"""Bytes; a larger file is not source code that anybody reads."""

PASSED_OVER = frozenset({"__pycache__", ".venv", "node_modules", ".factory", "dist", ".git", "build", ".shell"})
"""Folders that hold nothing that a person wrote."""


@dataclass(frozen=True, eq=False)
class MemberFiles:
    """A member with its parsed files."""

    member: Member
    project: "Project"
    files: tuple[SourceFile, ...]
    unreadable: tuple[Hit, ...] = ()

    @cached_property
    def source(self) -> tuple[SourceFile, ...]:
        """Product code."""
        return tuple(file for file in self.files if file.area == "source")

    @cached_property
    def tests(self) -> tuple[SourceFile, ...]:
        """Test code."""
        return tuple(file for file in self.files if file.area == "tests")

    @cached_property
    def by_module(self) -> dict[str, SourceFile]:
        """Files by dotted name."""
        return {file.module: file for file in self.files}

    def at(self, inner: str) -> SourceFile | None:
        """The source file with this path inside the import package."""
        return next((file for file in self.source if "/".join(file.inner) == inner), None)


@dataclass(frozen=True, eq=False)
class Project:
    """The workspace, parsed."""

    workspace: Workspace
    members: list[MemberFiles] = field(default_factory=list)

    @cached_property
    def modules(self) -> dict[str, SourceFile]:
        """Every source module of every member by dotted name."""
        return {file.module: file for member in self.members for file in member.source}


def read_project(workspace: Workspace, only: set[Path] | None = None) -> Project:
    """Parse every member (``only``: just these files)."""
    project = Project(workspace)
    for member in workspace.members:
        files: list[SourceFile] = []
        unreadable: list[Hit] = []
        for path, area in python_files(member):
            if only is not None and path not in only:
                continue
            parsed = parse(path, area, member)
            (files if isinstance(parsed, SourceFile) else unreadable).append(parsed)  # type: ignore[arg-type]  # either list
        project.members.append(MemberFiles(member, project, tuple(files), tuple(unreadable)))
    return project


def python_files(member: Member) -> Iterator[tuple[Path, Area]]:
    """Every Python file of a member and the area that it belongs to."""
    for folder, folders, names in os.walk(member.path):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER and not _is_link(folder, name))
        for name in sorted(names):
            if name.endswith(".py"):
                path = Path(folder, name)
                yield path, area_of(member, path)


def passed_over(relative: str) -> bool:
    """Whether a path leads through a folder that holds nothing that a person wrote."""
    return not PASSED_OVER.isdisjoint(relative.split("/"))


def _is_link(folder: str, name: str) -> bool:
    return os.path.islink(os.path.join(folder, name))


def area_of(member: Member, path: Path) -> Area:
    """Product code, test code, or something that lies beside them (a script, an image's entry point)."""
    if member.source is not None and path.is_relative_to(member.source):
        return "source"
    return "tests" if path.relative_to(member.path).parts[0] == "tests" else "other"


def module_name(member: Member, path: Path, area: Area) -> str:
    """The dotted name of a file."""
    top = member.source.parent if area == "source" and member.source else member.path
    parts = list(path.relative_to(top).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def parse(path: Path, area: Area, member: Member) -> SourceFile | Hit:
    """The parsed file, or why it cannot be read as Python."""
    try:
        if path.stat().st_size > LARGEST:
            return Hit(1, 1, f"is larger than {LARGEST:,} bytes", path)
        text = path.read_text(encoding="utf-8-sig")
        tree = ast.parse(text)
    except UnicodeDecodeError as error:
        return Hit(1, 1, f"is not UTF-8 (byte {error.start})", path)
    except SyntaxError as error:
        return Hit(error.lineno or 1, error.offset or 1, f"does not parse: {error.msg}", path)
    except (ValueError, RecursionError, MemoryError) as error:
        return Hit(1, 1, f"does not parse: {error}", path)
    except OSError as error:
        return Hit(1, 1, f"cannot be read: {error.strerror}", path)
    relative = path.relative_to(member.root).as_posix()
    return SourceFile(path, relative, module_name(member, path, area), area, member, text, tree)
