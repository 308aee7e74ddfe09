"""Runs every rule over what was parsed, once, and takes waivers into account."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from au_sys_python_factory.checks.catalog import RULES, UNREADABLE, WAIVER
from au_sys_python_factory.checks.project import Project
from au_sys_python_factory.checks.rule import Finding, Hit, Rule
from au_sys_python_factory.checks.source import SourceFile

_WAIVER = re.compile(r"#\s*factory:\s*allow\s+(?P<ids>[A-Z]\d\d(?:\s*,\s*[A-Z]\d\d)*)(?:\s*--\s*(?P<reason>\S.*))?")
_NOQA = re.compile(r"#\s*noqa:\s*(?P<codes>[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)(?P<reason>.*)")
_WEIGHTS = (("identity", 0), ("security", 0), ("core", 1), ("api", 2), ("web", 2))


@dataclass(slots=True)
class Waiver:
    """A line's permission to break rules; ``used`` is filled while findings are compared with it."""

    path: str
    line: int
    ids: frozenset[str]
    reason: str
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found; ``waived`` counts what lines were allowed."""

    findings: tuple[Finding, ...]
    waivers: tuple[Waiver, ...]
    files: int
    waived: int

    @property
    def failed(self) -> bool:
        """Whether anything worse than a warning was found."""
        return any(finding.severity == "error" for finding in self.findings)


def run(project: Project, rules: Iterable[Rule] = RULES) -> Report:
    """Ask every rule, sort by weight, leave out what a line may do."""
    chosen = tuple(rules)
    by_path = {file.path: file for member in project.members for file in member.files}
    waivers = _waivers(by_path.values())
    findings: list[Finding] = []
    waived = 0
    for rule, hit, path in _hits(project, chosen, by_path):
        if _allowed(rule, hit, path, by_path, waivers):
            waived += 1
        else:
            findings.append(_finding(rule, hit, path, project.workspace.root))
    listed = [waiver for found in waivers.values() for waiver in found]
    if WAIVER in chosen:
        findings += _about_waivers(listed, {rule.id for rule in chosen}, project.workspace.root)
    unique = tuple(sorted(set(findings)))
    return Report(unique, tuple(listed), len(by_path), waived)


def _hits(
    project: Project, rules: tuple[Rule, ...], by_path: dict[Path, SourceFile]
) -> Iterator[tuple[Rule, Hit, Path]]:
    root = project.workspace.pyproject
    for rule in rules:
        for hit in rule.project_check(project) if rule.project_check else ():
            yield rule, hit, hit.path or root
        for member in project.members:
            about_member = member.unreadable if rule is UNREADABLE else ()
            for hit in rule.member_check(member) if rule.member_check else about_member:
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


def _waivers(files: Iterable[SourceFile]) -> dict[tuple[Path, int], list[Waiver]]:
    found: dict[tuple[Path, int], list[Waiver]] = {}
    for file in files:
        for comment in file.comments if "factory:" in file.text else ():
            match = _WAIVER.search(comment.text)
            if match:
                ids = frozenset(re.split(r"\s*,\s*", match["ids"]))
                waiver = Waiver(file.relative, comment.line, ids, match["reason"] or "")
                found.setdefault((file.path, comment.line), []).append(waiver)
    return found


def _allowed(
    rule: Rule, hit: Hit, path: Path, by_path: dict[Path, SourceFile], waivers: dict[tuple[Path, int], list[Waiver]]
) -> bool:
    file = by_path.get(path)
    around = file.lines_around(hit.line) if file and waivers else (hit.line,)
    for waiver in (found for line in around for found in waivers.get((path, line), ())):
        if rule.id in waiver.ids and waiver.reason:
            waiver.used.add(rule.id)
            return True
    noqa = _NOQA.search(file.comment_lines.get(hit.line, "")) if file and rule.same_as else None
    return bool(
        noqa and set(re.split(r"[,\s]+", noqa["codes"])) & set(rule.same_as) and re.search(r"\w{3}", noqa["reason"])
    )


def _about_waivers(waivers: list[Waiver], asked: set[str], root: Path) -> Iterator[Finding]:
    for waiver in waivers:
        unused = sorted((waiver.ids & asked) - waiver.used)
        if not waiver.reason:
            yield _finding(WAIVER, Hit(waiver.line, 1, "the waiver gives no reason"), root / waiver.path, root)
        elif unused:
            yield _finding(
                WAIVER, Hit(waiver.line, 1, f"nothing to waive: {', '.join(unused)}"), root / waiver.path, root
            )
