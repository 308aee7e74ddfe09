"""Read a workspace without parsing what an earlier run parsed; imports no rule."""

from __future__ import annotations

from au_sys_python_factory.checks.reading.project import MemberFiles, Project, area_of, parse, passed_over
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.remembering.stamps import Remembered
from au_sys_python_factory.checks.rule import Hit
from au_sys_python_factory.workspace.members import Member, Workspace


def read_lightly(workspace: Workspace) -> Project:
    """The workspace with files that know their imports; those that changed since the last run are parsed."""
    remembered = Remembered(workspace)
    project = Project(workspace)
    project.members.extend(read_member(project, member, remembered) for member in workspace.members)
    return project


def read_member(project: Project, member: Member, remembered: Remembered) -> MemberFiles:
    """A member with its files: those that are as they were lightly, the others parsed."""
    light = remembered.light(member)
    files: list[SourceFile] = []
    unreadable: list[Hit] = []
    for name in remembered.stamps(member):
        if not name.endswith(".py") or passed_over(name):
            continue
        known = light.get(name)
        if known is not None:
            files.append(known)
            continue
        path = member.root / name
        parsed = parse(path, area_of(member, path), member)
        (files if isinstance(parsed, SourceFile) else unreadable).append(parsed)  # type: ignore[arg-type]  # either list
    return MemberFiles(member, project, tuple(files), tuple(unreadable))
