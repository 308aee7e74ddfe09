"""A run over the whole workspace that looks only at what changed, on two processors where that is worth it."""

from __future__ import annotations

import json
import os
from datetime import date

from au_sys_python_factory.checks.allowed.waivers import Waiver
from au_sys_python_factory.checks.catalog import BY_ID, RULES
from au_sys_python_factory.checks.engine import Looked, Report, look, together
from au_sys_python_factory.checks.reading.light import LightFile, Row, row_of
from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.remembering.lightly import read_member
from au_sys_python_factory.checks.remembering.stamps import Remembered
from au_sys_python_factory.checks.rule import Finding
from au_sys_python_factory.workspace.members import Member, Workspace

_WORTH_A_PROCESS = 1_500_000
"""Bytes of Python to parse; below, a second process costs more than it saves."""


def run_remembering(workspace: Workspace) -> Report:
    """All rules, with what an earlier run found in members that are as they were."""
    remembered = Remembered(workspace)
    rows: dict[str, Row] = {}
    changed: list[Member] = []
    for member in workspace.members:
        kept = remembered.kept(member)
        if kept is None:
            changed.append(member)
        else:
            rows[member.relative] = kept
    project = Project(workspace)
    rows |= _examined(project, changed, remembered)
    remembered.keep({member.relative: rows[member.relative] for member in workspace.members})
    project.members.extend(_light(project, member, rows[member.relative]) for member in workspace.members)
    return together(project, [_looked(rows[member.relative]) for member in workspace.members], RULES)


def _examined(project: Project, members: list[Member], remembered: Remembered) -> dict[str, Row]:
    """What a look at each of the members finds."""
    sizes = {member.relative: _to_parse(member, remembered) for member in members}
    if sum(sizes.values()) < _WORTH_A_PROCESS or not hasattr(os, "fork") or (os.cpu_count() or 1) < 2:
        return {member.relative: _examine(project, member, remembered) for member in members}
    mine: list[Member] = []
    theirs: list[Member] = []
    for member in sorted(members, key=lambda item: -sizes[item.relative]):
        lighter = sum(sizes[one.relative] for one in mine) <= sum(sizes[one.relative] for one in theirs)
        (mine if lighter else theirs).append(member)
    return _beside(project, mine, theirs, remembered)


def _beside(project: Project, mine: list[Member], theirs: list[Member], remembered: Remembered) -> dict[str, Row]:
    """Half of the members here, the other half in a child, which tells what it saw through a pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            rows = {member.relative: _examine(project, member, remembered) for member in theirs}
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump(rows, pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        found = {member.relative: _examine(project, member, remembered) for member in mine}
        told = pipe.read()
    _, code = os.waitpid(child, 0)
    if code:  # what stopped the child is met here again, where it can be told
        return found | {member.relative: _examine(project, member, remembered) for member in theirs}
    their: dict[str, Row] = json.loads(told)
    return found | their


def _to_parse(member: Member, remembered: Remembered) -> int:
    stamps = remembered.stamps(member)
    return sum(stamps[name][0] for name in stamps.keys() - remembered.light(member).keys() if name.endswith(".py"))


def _examine(project: Project, member: Member, remembered: Remembered) -> Row:
    read = read_member(project, member, remembered)
    found = look(read, RULES)
    stamps = remembered.stamps(member)
    return {
        "digest": remembered.digest(member),
        "began": remembered.began,
        "files": {file.relative: _row(file, stamps[file.relative], found) for file in read.files},
        "findings": [_told(finding) for finding in found.findings],
        "waivers": [_row_of(waiver) for waiver in found.waivers],
        "waived": found.waived,
    }


def _row(file: SourceFile, stamp: list[int], found: Looked) -> Row:
    if isinstance(file, LightFile):
        known: Row = file.row
        return known
    hits = found.hits.get(file.relative, [])
    return row_of(file, stamp, [[rule.id, hit.line, hit.column, hit.message, hit.severity] for rule, hit in hits])


def _light(project: Project, member: Member, row: Row) -> MemberFiles:
    files = tuple(LightFile(relative, known, member) for relative, known in row["files"].items())
    return MemberFiles(member, project, files)


def _looked(row: Row) -> Looked:
    return Looked([_finding(one) for one in row["findings"]], [_waiver(one) for one in row["waivers"]], row["waived"])


def _told(one: Finding) -> Row:
    return {name: getattr(one, name) for name in ("weight", "path", "line", "column", "rule", "severity", "message")}


def _finding(row: Row) -> Finding:
    rule = BY_ID[row["rule"]]
    return Finding(**row, why=rule.why, fix=rule.fix)


def _row_of(waiver: Waiver) -> dict[str, object]:
    expires = waiver.expires.isoformat() if waiver.expires else ""
    return {
        "path": waiver.path, "line": waiver.line, "ids": sorted(waiver.ids), "reason": waiver.reason,
        "pattern": waiver.pattern, "expires": expires, "used": sorted(waiver.used),
    }  # fmt: skip


def _waiver(row: Row) -> Waiver:
    expires = date.fromisoformat(row["expires"]) if row["expires"] else None
    ids, used = frozenset(row["ids"]), set(row["used"])
    return Waiver(row["path"], row["line"], ids, row["reason"], row["pattern"], expires, used)
