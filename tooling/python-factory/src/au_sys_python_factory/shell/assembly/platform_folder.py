"""A platform folder: bill of materials, configuration, and where its wheels land."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from au_sys_python_factory.errors import UsageError
from au_sys_python_factory.wheels.members import Member, Workspace


@dataclass(frozen=True, slots=True)
class PlatformFolder:
    """One member below ``platforms/``, with the members that it is made of."""

    member: Member
    workspace: Workspace

    @property
    def folder(self) -> Path:
        """The platform's own folder."""
        return self.member.folder

    @property
    def config(self) -> Path:
        """The three configuration files and the example of the environment."""
        return self.folder / "config"

    @property
    def packages(self) -> Path:
        """Where built wheels land."""
        return self.folder / "packages"

    @property
    def gauntlet(self) -> Path:
        """Rows that cross capabilities."""
        return self.folder / "gauntlet"

    def bill_of_materials(self) -> tuple[Member, ...]:
        """The platform itself and every member that it needs, directly or through another one."""
        by_name = {canonicalize_name(member.name): member for member in self.workspace.members}
        wanted, found = [self.member], {canonicalize_name(self.member.name): self.member}
        while wanted:
            for name in _requirements(wanted.pop()):
                if name in by_name and name not in found:
                    found[name] = by_name[name]
                    wanted.append(by_name[name])
        return tuple(sorted(found.values(), key=lambda member: member.name))


def find_platform(workspace: Workspace, name: str | None) -> PlatformFolder:
    """The platform of that folder name, or the only one.

    Raises:
        UsageError: there is none, or several and no name.
    """
    candidates = [member for member in workspace.members if member.folder.parent == workspace.root / "platforms"]
    chosen = [member for member in candidates if name in (None, member.name, member.folder.name)]
    if len(chosen) == 1:
        return PlatformFolder(chosen[0], workspace)
    known = ", ".join(member.folder.name for member in candidates) or "none"
    what = f"no platform is called {name}" if name else f"{len(candidates)} platforms in this workspace"
    raise UsageError(f"{what} (there: {known})", fix="name one with --platform")


def _requirements(member: Member) -> Sequence[NormalizedName]:
    project = tomllib.loads((member.folder / "pyproject.toml").read_text("utf-8"))["project"]
    return [canonicalize_name(Requirement(text).name) for text in project.get("dependencies", [])]
