"""Runs every rule over what was parsed, once, and takes waivers into account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from au_sys_python_factory.checks.allowed.waivers import Waiver, Waivers, about, waivers_of
from au_sys_python_factory.checks.catalog import BY_ID, RULES, UNREADABLE
from au_sys_python_factory.checks.reading.light import LightFile
from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Finding, Hit, Rule

_WEIGHTS = (("identity", 0), ("security", 0), ("core", 1), ("api", 2), ("web", 2))


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found; ``waived`` counts what was allowed."""

    findings: tuple[Finding, ...]
    waivers: tuple[Waiver, ...]
    files: int
    waived: int

    @property
    def failed(self) -> bool:
        """Whether anything worse than a warning was found."""
        return any(finding.severity == "error" for finding in self.findings)


@dataclass(slots=True)
class Looked:
    """What the rules about files and about the member found in one member; ``hits`` are those of each file."""

    findings: list[Finding] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    waived: int = 0
    hits: dict[str, list[tuple[Rule, Hit]]] = field(default_factory=dict)


def run(project: Project, rules: Iterable[Rule] = RULES, *, deep: bool = False) -> Report:
    """Ask every rule, sort by weight, leave out what a line or an entry allows.

    ``deep`` also asks what only running the code can tell: it imports and starts what it looks at.
    """
    chosen = tuple(rules)
    looked = [look(member, chosen, deep=deep) for member in project.members]
    return together(project, looked, chosen)


def look(member: MemberFiles, rules: tuple[Rule, ...], *, deep: bool = False) -> Looked:
    """Ask the rules about files and about a member."""
    found = Looked(waivers=list(waivers_of(member)))
    waivers, root = Waivers(found.waivers), member.member.root
    files = {file.relative: file for file in member.files}
    for file in files.values():
        found.hits[file.relative] = list(_file_hits(rules, file))
    of_files = ((rule, hit, name) for name, hits in found.hits.items() for rule, hit in hits)
    of_member = ((rule, hit, _relative(hit.path, root)) for rule, hit in _member_hits(rules, member, deep=deep))
    for rule, hit, relative in (*of_files, *of_member):
        if waivers.allow(rule, hit, relative, files.get(relative)):
            found.waived += 1
        else:
            found.findings.append(_finding(rule, hit, relative))
    return found


def _file_hits(rules: tuple[Rule, ...], file: SourceFile) -> Iterator[tuple[Rule, Hit]]:
    if isinstance(file, LightFile):
        yield from (
            (BY_ID[id_], Hit(line, column, text, None, how)) for id_, line, column, text, how in file.row["hits"]
        )
        return
    for rule in rules:
        if rule.file_check and file.area in rule.areas:
            yield from ((rule, hit) for hit in rule.file_check(file))


def _member_hits(rules: tuple[Rule, ...], member: MemberFiles, *, deep: bool) -> Iterator[tuple[Rule, Hit]]:
    for rule in rules:
        for hit in member.unreadable if rule is UNREADABLE else ():
            yield rule, hit
        for hit in rule.member_check(member) if rule.member_check else ():
            yield rule, hit
        for hit in rule.deep_check(member) if rule.deep_check and deep else ():
            yield rule, hit


def together(project: Project, looked: Iterable[Looked], rules: tuple[Rule, ...]) -> Report:
    """What was found in each member, and what the rules across members find."""
    seen = list(looked)
    waivers = Waivers(waiver for one in seen for waiver in one.waivers)
    findings = [finding for one in seen for finding in one.findings]
    waived, root = sum(one.waived for one in seen), project.workspace.root
    files: Mapping[str, SourceFile] = {file.relative: file for member in project.members for file in member.files}
    for rule in rules:
        for hit in rule.project_check(project) if rule.project_check else ():
            relative = _relative(hit.path, root)
            if waivers.allow(rule, hit, relative, files.get(relative)):
                waived += 1
            else:
                findings.append(_finding(rule, hit, relative))
    for rule, hit, relative in about(waivers.listed, {rule.id for rule in rules}, date.today()):
        if rule in rules:
            findings.append(_finding(rule, hit, relative))
    return Report(tuple(sorted(set(findings))), tuple(waivers.listed), len(files), waived)


def _relative(path: Path | None, root: Path) -> str:
    where = path or root / "pyproject.toml"
    return where.relative_to(root).as_posix() if where.is_relative_to(root) else where.as_posix()


def _finding(rule: Rule, hit: Hit, relative: str) -> Finding:
    weight = min([rank for word, rank in _WEIGHTS if word in relative] or [3])
    severity = hit.severity or rule.severity
    return Finding(weight, relative, hit.line, hit.column, rule.id, severity, hit.message, rule.why, rule.fix)
