"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from au_sys_python_factory.checks.reading.project import MemberFiles, Project
    from au_sys_python_factory.checks.reading.source import SourceFile

Severity = Literal["error", "warning"]
Area = Literal["source", "tests", "other"]


class Hit(NamedTuple):
    """A place where a rule is broken; ``path`` is set when it is not the file that was asked."""

    line: int
    column: int
    message: str
    path: Path | None = None
    severity: Severity | None = None


FileCheck = Callable[["SourceFile"], Iterable[Hit]]
MemberCheck = Callable[["MemberFiles"], Iterable[Hit]]
ProjectCheck = Callable[["Project"], Iterable[Hit]]


@dataclass(frozen=True)
class Rule:
    """One rule: what it says, why, how to go on, and the kinds of check that it may have.

    ``wrong`` planted at ``place`` of a good package breaks this rule and no other, ``right`` breaks none: a test does
    both. ``deep_check`` runs code of the workspace and is asked on demand only. ``same_as`` names lint codes with the
    same meaning: a ``noqa`` for one of them with a reason is a waiver.
    """

    id: str
    title: str
    why: str
    fix: str
    wrong: str
    right: str
    severity: Severity = "error"
    areas: tuple[Area, ...] = ("source",)
    place: str = "src/{package}/adapters/outside/planted.py"
    same_as: tuple[str, ...] = ()
    file_check: FileCheck | None = None
    member_check: MemberCheck | None = None
    project_check: ProjectCheck | None = None
    deep_check: MemberCheck | None = None


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule at a place; ordered so that what weighs most comes first."""

    weight: int
    path: str
    line: int
    column: int
    rule: str
    severity: str
    message: str
    why: str
    fix: str
