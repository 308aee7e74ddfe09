"""What an addition consists of, and what all of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from au_sys_python_factory.blueprint.capability import Blueprint, context
from au_sys_python_factory.blueprint.package import first_party
from au_sys_python_factory.blueprint.rendering import TEMPLATES, as_before, formatted, render
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.plan.model import Operation, Plan, read, write
from au_sys_python_factory.workspace.members import Member


@dataclass(frozen=True)
class Addition:
    """New files and new texts of files that are there, by path inside the package."""

    made: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)


class Package:
    """A package that the factory made, with its texts."""

    def __init__(self, member: Member, blueprint: Blueprint) -> None:
        self.member = member
        self.blueprint = blueprint
        self.source = f"src/{blueprint.names.package}"

    def text(self, path: str) -> str:
        """A file as it is.

        Raises:
            Refused: it is not there; only what the factory laid out can be extended.
        """
        found = read(self.member.path, path)
        if found is None:
            where = f"{self.member.relative}/{path}"
            raise Refused("the file is not there.", where=where, fix="restore it, or add the new thing by hand.")
        return found.decode("utf-8")

    def rendered(self, what: str, values: Mapping[str, object], spelled: Mapping[str, str]) -> dict[str, str]:
        """The new files of an addition."""
        names, noun = self.blueprint.names, self.blueprint.noun
        words = {"package": names.package, "many": noun.many, "one": noun.one, **spelled}
        found = render(TEMPLATES / "additions" / what, {**context(self.blueprint), **values}, words)
        return formatted(found, self.first_party)

    @property
    def first_party(self) -> Sequence[str]:
        """Packages whose imports stand last."""
        return first_party(self.blueprint)


def plan_addition(command: str, package: Package, addition: Addition) -> Plan:
    """The plan of an addition; the same one twice changes nothing.

    Raises:
        Refused: a new file is there already and says something else.
    """
    member = package.member
    operations: list[Operation] = []
    for path, text in sorted(addition.made.items()):
        present = read(member.path, path)
        if present is not None and present != text.encode():
            where = f"{member.relative}/{path}"
            raise Refused("the file is there and says something else.", where=where, fix="choose another name.")
        operations.append(write(member.root, f"{member.relative}/{path}", text, "added"))
    code = {path: text for path, text in addition.changed.items() if path.endswith(".py")}
    before = {path: found.decode() for path in code if (found := read(member.path, path)) is not None}
    sorted_code = as_before(code, before, package.first_party)
    for path, text in sorted({**addition.changed, **sorted_code}.items()):
        old = read(member.path, path)
        same = old is not None and old.decode() == addition.changed[path]
        whole = addition.changed[path] if same else text
        operations.append(write(member.root, f"{member.relative}/{path}", whole, "named where its siblings are"))
    return Plan(command, tuple(operations))
