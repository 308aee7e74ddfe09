"""The plan of ``migrate apply``: the package, its place in workspace and platform, its waivers, the lock."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from au_sys_python_factory.blueprint.naming import Names
from au_sys_python_factory.checks.engine import run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.checks.rule import Finding
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.migration.making import Made, make
from au_sys_python_factory.migration.model import Migration
from au_sys_python_factory.pipelines.locked import resolved_lock
from au_sys_python_factory.pipelines.registration import Texts, register, variables_of, wire
from au_sys_python_factory.plan.model import Plan, write
from au_sys_python_factory.workspace.members import Member, Workspace, read_workspace

_IN_TESTS = {"Z05", "Z09"}
_FOR_THE_WORKSPACE = ("pyproject.toml", ".importlinter")


@dataclass(frozen=True)
class Moved:
    """What an apply would do, and what it could not do by itself."""

    plan: Plan
    made: Made
    left: tuple[Finding, ...]
    waived: int


def plan_migrate_apply(
    workspace: Workspace, migration: Migration, names: Names, where: Path, folder: Path, platform: Member | None
) -> Moved:
    """Everything that ``migrate apply`` writes.

    Raises:
        Refused: something is to be decided still, the folder is there, or a patch does not fit.
    """
    open_questions = migration.to_decide()
    if open_questions:
        raise Refused(
            "to be decided first:\n  " + "\n  ".join(open_questions),
            where=str(folder), fix="correct each target in the plan and take its `decide` away.",
        )  # fmt: skip
    if (workspace.root / names.folder).exists():
        raise Refused("the folder is there already.", where=names.folder, fix="undo the last apply, or destroy it.")
    made = make(migration, names, where, workspace, folder)
    files = {f"{names.folder}/{path}": text for path, text in made.files.items()}
    texts = Texts(workspace.root, dict(files))
    register(texts, names.dist, names.package, names.kebab)
    findings = _findings(workspace, names, texts.edits)
    waivers, left = _waivers(findings, names, migration.until)
    if waivers:
        files[f"{names.folder}/waivers.toml"] = texts.edits[f"{names.folder}/waivers.toml"] = waivers
    if platform is not None:
        variables = variables_of(files[f"{names.folder}/.env.example"])
        wire(texts, platform, names.dist, "0.1.0", names.capability, variables)
    lock = resolved_lock(workspace, texts.edits)
    operations = [
        write(workspace.root, path, text, "moved" if path in files else "the package is registered")
        for path, text in sorted(texts.edits.items())
    ]
    if lock is not None:
        operations.append(write(workspace.root, "uv.lock", lock, "the package is locked"))
    return Moved(Plan(f"migrate apply {names.given}", tuple(operations)), made, left, waivers.count("[[waiver]]"))


def _findings(workspace: Workspace, names: Names, files: Mapping[str, str]) -> tuple[Finding, ...]:
    """What ``check`` would say of the package, asked in a copy that holds no other code; ``files`` by their place in
    the workspace."""
    with TemporaryDirectory(prefix="python-factory-check-") as place:
        copy = Path(place)
        projects = [member.path / "pyproject.toml" for member in workspace.members]
        known = [workspace.root / name for name in _FOR_THE_WORKSPACE]
        for path in (item for item in (*known, *projects) if item.is_file()):
            target = copy / path.relative_to(workspace.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        for name, text in files.items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text(text, encoding="utf-8", newline="\n")
        found = read_workspace(copy)
        own = tuple(member for member in found.members if member.relative == names.folder)
        report = run(read_project(found, {path for path in (copy / names.folder).rglob("*.py")}))
        return tuple(item for item in report.findings if own and item.path.startswith(f"{names.folder}/"))


def _waivers(findings: tuple[Finding, ...], names: Names, until: str) -> tuple[str, tuple[Finding, ...]]:
    """Waivers for layout (and for doubles in moved tests) until a day; everything else is left to people."""
    waived: set[tuple[str, str]] = set()
    left: list[Finding] = []
    for item in findings:
        inner = item.path.removeprefix(f"{names.folder}/")
        may = item.rule.startswith("L") or (item.rule in _IN_TESTS and inner.startswith("tests/"))
        if may and item.rule != "L01":
            waived.add((item.rule, inner))
        elif item.severity == "error":
            left.append(item)
    entries = [
        f'[[waiver]]\nrule = "{rule}"\npath = "{path}"\nreason = "moved as it was"\nexpires = {until}\n'
        for rule, path in sorted(waived)
    ]
    return "\n".join(entries), tuple(left)
