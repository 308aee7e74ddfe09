"""Ports of a core and the classes that could stand behind them: shared by the rules about both."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from au_sys_python_factory.checks.reading.facts import Shape
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import Function, SourceFile


@dataclass(frozen=True, eq=False)
class Class:
    """A class of a member with what its bases in the same member add; parsed only when its methods are asked for."""

    file: SourceFile
    shape: Shape
    known: "dict[str, Class]"

    @property
    def name(self) -> str:
        """As its module calls it."""
        return self.shape.name

    @cached_property
    def ancestors(self) -> "list[Class]":
        """Bases in the same member, and theirs."""
        found: list[Class] = []
        for base in self.shape.bases:
            above = self.known.get(base)
            if above is not None and above is not self:
                found += [above, *above.ancestors]
        return found

    @cached_property
    def closed(self) -> bool:
        """Whether every base is known, so that no method can come from elsewhere."""
        plain = {"object", "Protocol", "Generic", "ABC", "NamedTuple"}
        bases = [base for one in (self, *self.ancestors) for base in one.shape.bases]
        return all(base in self.known or base.rsplit(".", 1)[-1] in plain for base in bases)

    @cached_property
    def methods(self) -> frozenset[str]:
        """Names of public methods, inherited ones included."""
        return frozenset(name for one in (self, *self.ancestors) for name in one.shape.methods)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Names that it or a base of it gives to itself."""
        return frozenset(name for one in (self, *self.ancestors) for name in one.shape.attributes)

    @cached_property
    def own(self) -> dict[str, Function]:
        """Its public methods (properties too)."""
        wanted = (node for node in self.file.tree.body if getattr(node, "lineno", 0) == self.shape.line)
        body = next((node.body for node in wanted if isinstance(node, ast.ClassDef)), [])
        return {item.name: item for item in body if isinstance(item, Function) and not item.name.startswith("_")}

    @cached_property
    def is_protocol(self) -> bool:
        """Whether it only says what others have."""
        return any(base.endswith("Protocol") for base in self.shape.bases)

    @cached_property
    def is_port(self) -> bool:
        """Whether it is a Protocol of a core's ports."""
        place = self.file.inner
        holds = place[-1] == "ports.py" or "ports" in place[:-1]
        return self.file.layer == "core" and holds and self.is_protocol


def classes(member: MemberFiles) -> dict[str, Class]:
    """Every class of a member's product code at the top of a module, by dotted name."""
    known: dict[str, Class] = {}
    for file in member.source:
        for shape in file.facts.shapes:
            known[f"{file.module}.{shape.name}"] = Class(file, shape, known)
    return known


def ports(known: dict[str, Class]) -> Iterator[Class]:
    """The ports among the classes that have methods of their own kind (one of ``__call__`` is a function)."""
    for found in known.values():
        if found.is_port and found.methods:
            yield found


def fits(found: Class, port: Class) -> bool:
    """Whether a class has every method of a port."""
    return port.methods <= found.methods | found.attributes
