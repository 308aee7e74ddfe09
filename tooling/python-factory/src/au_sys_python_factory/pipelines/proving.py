"""``selftest``: what the templates make passes every rule, and every rule finds its own wrong example in it."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.blueprint.capability import STANDARD_FIELDS, Blueprint, dependencies
from au_sys_python_factory.blueprint.fields import read_fields
from au_sys_python_factory.blueprint.naming import Names, noun_of
from au_sys_python_factory.checks.catalog import RULES, UNREADABLE
from au_sys_python_factory.checks.engine import run
from au_sys_python_factory.checks.reading.project import read_project
from au_sys_python_factory.checks.rule import Rule
from au_sys_python_factory.pipelines.new_capability import plan_new_capability
from au_sys_python_factory.plan.apply import apply, writing
from au_sys_python_factory.workspace.members import Workspace, read_workspace

EVERY_TYPE = (
    "title:str(1..80)", "text:text?", "count:int(0..10)", "price:decimal(0..99.5)", "open:bool", "day:date",
    "due:datetime?", "key:uuid?", "mail:email?", "state:enum(open|done)", "tags:list(str)",
)  # fmt: skip
SETS: tuple[tuple[str, tuple[str, ...]], ...] = (("proof", STANDARD_FIELDS), ("proofs-of-all", EVERY_TYPE))
"""Capabilities that are made: one as without options, one with a field of every type."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was tried; ``why`` says what came instead."""

    what: str
    good: bool
    why: str = ""


def prove(workspace: Workspace, place: Path, shard: int, shards: int) -> Iterator[Proof]:
    """Every proof of a shard, in an empty folder that is thrown away by whoever made it."""
    copy = _copied(workspace, place)
    for name, fields in SETS:
        made = _made(copy, name, fields)
        findings = _findings(made, f"packages/au-sys-{name}")
        yield Proof(f"new capability {name}: check", not findings, "; ".join(map(str, findings[:3])))
        copy = made
    own = [rule for rule in RULES if _plantable(rule)]
    for number, rule in enumerate(own):
        if number % shards == shard:
            yield _planted(copy, rule)


def _copied(workspace: Workspace, place: Path) -> Workspace:
    """The workspace's project files, and none of its code."""
    for member in workspace.members:
        target = place / member.relative
        target.mkdir(parents=True)
        shutil.copyfile(member.path / "pyproject.toml", target / "pyproject.toml")
    for name in ("pyproject.toml", ".importlinter"):
        if (workspace.root / name).is_file():
            shutil.copyfile(workspace.root / name, place / name)
    return read_workspace(place)


def _made(workspace: Workspace, name: str, fields: tuple[str, ...]) -> Workspace:
    noun = noun_of(name)
    blueprint = Blueprint(Names(name), noun, read_fields(fields), f"Keeps {noun.label_many}.", dependencies(workspace))
    with writing(workspace.root):
        apply(workspace.root, plan_new_capability(blueprint, workspace, None))
    return read_workspace(workspace.root)


def _findings(workspace: Workspace, below: str) -> list[tuple[str, str]]:
    report = run(read_project(workspace))
    found = [item for item in report.findings if item.severity == "error" and item.path.startswith(f"{below}/")]
    return [(item.rule, f"{item.path}:{item.line}") for item in found]


def _plantable(rule: Rule) -> bool:
    """Whether the wrong example is one file of code for any package; examples of the others are told in words."""
    asked = rule.file_check or rule.member_check or rule is UNREADABLE
    try:
        ast.parse("" if rule is UNREADABLE else rule.wrong.replace("{package}", "package"))
    except SyntaxError:
        return False
    return bool(asked) and rule.place.startswith(("src/", "tests/")) and "core.notes" not in rule.wrong


def _planted(workspace: Workspace, rule: Rule) -> Proof:
    package = f"au_sys_{SETS[0][0]}"
    folder = f"packages/au-sys-{SETS[0][0]}"
    path = workspace.root / folder / rule.place.replace("{package}", package)
    plain = rule.id in ("L00", "L07") or rule.wrong.startswith('"""')
    text = (rule.wrong if plain else f'"""Planted."""\n\n{rule.wrong}').replace("{package}", package)
    made = [above for above in path.parents if not above.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    door = path.parent / "__init__.py"
    planted = [path, *([door] if "src/" in rule.place and not door.exists() and door != path else [])]
    for file in planted:
        file.write_text(text if file == path else '"""Planted."""\n', encoding="utf-8")
    found = _findings(workspace, folder)
    for file in planted:
        file.unlink()
    for above in made:
        above.rmdir()
    wrong = [item for item in found if item[0] != rule.id]
    return Proof(
        f"{rule.id} is found", bool(found) and not wrong, "; ".join(map(str, found[:3])) or "nothing was found"
    )
