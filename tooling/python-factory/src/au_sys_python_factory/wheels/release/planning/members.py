"""What a plan has to know of one member: its place in history, its fragments, its interface, its sibling bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from au_sys_python_factory.wheels.members import Member
from au_sys_python_factory.wheels.release.planning.bumps import Level, highest
from au_sys_python_factory.wheels.release.planning.fragments import KINDS, Fragment, Problem, read_fragments
from au_sys_python_factory.wheels.release.planning.history import changed_since, tag_of, tags_of
from au_sys_python_factory.wheels.release.planning.surface import Difference, differences

FLOOR = "floor: next release"
"""The comment behind a dependency that needs something of a sibling which is not released yet."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A dependency of one member on another."""

    text: str
    sibling: str
    waits: bool

    @property
    def requirement(self) -> Requirement:
        """The line, read."""
        return Requirement(self.text)


@dataclass(frozen=True, slots=True)
class Standing:
    """One member before the plan; ``last`` is ``None`` for one that was never released."""

    member: Member
    last: Version | None
    fragments: tuple[Fragment, ...]
    changed: tuple[str, ...]
    difference: Difference
    bounds: tuple[Bound, ...]
    problems: tuple[Problem, ...]

    @property
    def due(self) -> bool:
        """Whether it has to be released for its own sake."""
        return self.last is None or bool(self.fragments)

    @property
    def level(self) -> Level:
        """The highest of what the fragments say and what the interface forces."""
        forced: list[Level] = ["major"] if self.difference.breaks else ["minor"] if self.difference.additions else []
        return highest([*(KINDS[fragment.kind] for fragment in self.fragments), *forced])


def standing(root: Path, member: Member, siblings: frozenset[str]) -> Standing:
    """Read one member."""
    fragments, wrong = read_fragments(root, member.folder)
    problems = list(wrong)
    released = tags_of(root, member.name, merged=True)
    problems += _strays(root, member, released)
    last = released[-1] if released else None
    changed: tuple[str, ...] = ()
    difference = Difference()
    if last is not None:
        tag = tag_of(member.name, str(last))
        changed = tuple(changed_since(root, tag, member.folder))
        difference = differences(root, tag, member.folder) if changed else difference
        problems += _of_version(root, member, last)
        problems += _unexplained(root, member, fragments, changed, difference, wrong=bool(wrong))
    return Standing(member, last, fragments, changed, difference, _bounds(member, siblings), tuple(problems))


def _strays(root: Path, member: Member, released: list[Version]) -> list[Problem]:
    known = set(released)
    return [
        Problem(
            tag_of(member.name, str(version)),
            "this tag is not in the history of the branch",
            "release from the branch that holds it, or delete the tag if it was never pushed",
        )
        for version in tags_of(root, member.name, merged=False)
        if version not in known
    ]


def _of_version(root: Path, member: Member, last: Version) -> list[Problem]:
    where = (member.folder / "pyproject.toml").relative_to(root).as_posix()
    written = Version(member.version)
    if written == last:
        return []
    how = "went backwards from" if written < last else "was raised by hand from"
    return [Problem(where, f"version {written} {how} {last}", f"write {last} again: release-apply sets versions")]


def _unexplained(
    root: Path,
    member: Member,
    fragments: tuple[Fragment, ...],
    changed: tuple[str, ...],
    difference: Difference,
    *,
    wrong: bool,
) -> list[Problem]:
    where = member.folder.relative_to(root).as_posix()
    if changed and not fragments and not wrong:
        some = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
        return [
            Problem(
                where, f"changed since its last release without a fragment: {some}", f"{where}/changes/<slug>.fixed.md"
            )
        ]
    if difference.breaks and not any(fragment.kind == "breaking" for fragment in fragments):
        fix = f"describe it in {where}/changes/<slug>.breaking.md, or keep what callers use"
        return [Problem(where, f"its interface breaks: {text}", fix) for text in difference.breaks]
    return []


def _bounds(member: Member, siblings: frozenset[str]) -> tuple[Bound, ...]:
    text = (member.folder / "pyproject.toml").read_text("utf-8")
    project = tomlkit.parse(text).unwrap()["project"]
    optional = project.get("optional-dependencies", {})
    lines = [*project.get("dependencies", []), *(line for extra in optional.values() for line in extra)]
    return tuple(
        Bound(line, name, _waits(text, line))
        for line in dict.fromkeys(lines)
        if (name := str(canonicalize_name(Requirement(line).name))) in siblings
    )


def _waits(text: str, line: str) -> bool:
    return re.search(rf"\"{re.escape(line)}\",?[ \t]*#[ \t]*{FLOOR}", text) is not None
