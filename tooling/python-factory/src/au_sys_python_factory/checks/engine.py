"""Runs every rule over what was parsed, once, and takes waivers into account."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from au_sys_python_factory.checks.allowed.waivers import Waiver, Waivers, about
from au_sys_python_factory.checks.catalog import RULES, UNREADABLE
from au_sys_python_factory.checks.reading.project import Project
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.remembered import Remembered, read_remembering
from au_sys_python_factory.checks.rule import Finding, Hit, Rule
from au_sys_python_factory.workspace.members import Workspace

_WEIGHTS = (("identity", 0), ("security", 0), ("core", 1), ("api", 2), ("web", 2))


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found; ``waived`` counts what was allowed, ``waived_in`` by member."""

    findings: tuple[Finding, ...]
    waivers: tuple[Waiver, ...]
    files: int
    waived: int
    waived_in: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether anything worse than a warning was found."""
        return any(finding.severity == "error" for finding in self.findings)


def run_remembering(workspace: Workspace) -> Report:
    """The same for all rules, with what an earlier run found in members that are as they were."""
    remembered = Remembered(workspace)
    project, known = read_remembering(workspace, remembered)
    report = run(project)
    own = [item for item in report.findings if not _inside(item.path, known)]
    listed = [item for item in report.waivers if not _inside(item.path, known)]
    waived = {member.member.relative: report.waived_in.get(member.member.relative, 0) for member in project.members}
    remembered.keep(project, own, listed, waived)
    for member in workspace.members:
        if member.relative in known:
            own += remembered.findings(member)
            listed += remembered.waivers(member)
            waived[member.relative] = remembered.waived(member)
    files = sum(len(member.files) for member in project.members)
    return Report(tuple(sorted(set(own))), tuple(listed), files, sum(waived.values()), waived)


def _inside(path: str, members: set[str]) -> bool:
    parts = path.split("/")
    return "/".join(parts[:2]) in members or parts[0] in members


def run(project: Project, rules: Iterable[Rule] = RULES, *, deep: bool = False) -> Report:
    """Ask every rule, sort by weight, leave out what a line or an entry allows.

    ``deep`` also asks what only running the code can tell: it imports and starts what it looks at.
    """
    chosen = tuple(rules)
    by_path = {file.path: file for member in project.members for file in member.files}
    waivers, root = Waivers(project), project.workspace.root
    findings: list[Finding] = []
    waived: dict[str, int] = {}
    owners = [member.member for member in project.members]
    for rule, hit, path in _hits(project, chosen, by_path, deep=deep):
        if waivers.allow(rule, hit, path, by_path.get(path)):
            owner = next((item.relative for item in owners if path.is_relative_to(item.path)), "")
            waived[owner] = waived.get(owner, 0) + 1
        else:
            findings.append(_finding(rule, hit, path, root))
    listed = waivers.listed
    for rule, hit, relative in about(listed, {rule.id for rule in chosen}, date.today()):
        if rule in chosen:
            findings.append(_finding(rule, hit, root / relative, root))
    unique = tuple(sorted(set(findings)))
    return Report(unique, tuple(listed), len(by_path), sum(waived.values()), waived)


def _hits(
    project: Project, rules: tuple[Rule, ...], by_path: dict[Path, SourceFile], *, deep: bool
) -> Iterator[tuple[Rule, Hit, Path]]:
    root = project.workspace.pyproject
    for rule in rules:
        for hit in rule.project_check(project) if rule.project_check else ():
            yield rule, hit, hit.path or root
        for member in project.members:
            about_member = member.unreadable if rule is UNREADABLE else ()
            for hit in rule.member_check(member) if rule.member_check else about_member:
                yield rule, hit, hit.path or root
            for hit in rule.deep_check(member) if rule.deep_check and deep else ():
                yield rule, hit, hit.path or root
        for file in by_path.values() if rule.file_check else ():
            yield from ((rule, hit, hit.path or file.path) for hit in _file_hits(rule, file))


def _file_hits(rule: Rule, file: SourceFile) -> Iterable[Hit]:
    return rule.file_check(file) if rule.file_check and file.area in rule.areas else ()


def _finding(rule: Rule, hit: Hit, path: Path, root: Path) -> Finding:
    relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    weight = min([rank for word, rank in _WEIGHTS if word in relative] or [3])
    severity = hit.severity or rule.severity
    return Finding(weight, relative, hit.line, hit.column, rule.id, severity, hit.message, rule.why, rule.fix)
