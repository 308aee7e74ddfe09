"""Ports of a core and the classes that could stand behind them: shared by the rules about both."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import Function, SourceFile


@dataclass(frozen=True, eq=False)
class Class:
    """A class of a member with what its bases in the same member add."""

    file: SourceFile
    node: ast.ClassDef
    known: "dict[str, Class]"

    @cached_property
    def name(self) -> str:
        """Its dotted name."""
        return f"{self.file.module}.{self.node.name}"

    @cached_property
    def bases(self) -> list[str]:
        """The dotted names of its bases; those of the same file with the file's module in front."""
        found = [
            self.file.qualified(kind.value if isinstance(kind, ast.Subscript) else kind) for kind in self.node.bases
        ]
        return [name if "." in name else f"{self.file.module}.{name}" for name in found]

    @cached_property
    def ancestors(self) -> "list[Class]":
        """Bases in the same member, and theirs."""
        found: list[Class] = []
        for base in self.bases:
            above = self.known.get(base)
            if above is not None and above is not self:
                found += [above, *above.ancestors]
        return found

    @cached_property
    def closed(self) -> bool:
        """Whether every base is known, so that no method can come from elsewhere."""
        plain = {"object", "Protocol", "Generic", "ABC", "NamedTuple"}
        bases = [base for one in (self, *self.ancestors) for base in one.bases]
        return all(base in self.known or base.rsplit(".", 1)[-1] in plain for base in bases)

    @cached_property
    def own(self) -> dict[str, Function]:
        """Its public methods (properties too)."""
        return {
            item.name: item
            for item in self.node.body
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_")
        }

    @cached_property
    def methods(self) -> dict[str, Function]:
        """Public methods, inherited ones included."""
        found: dict[str, Function] = {}
        for one in reversed((self, *self.ancestors)):
            found |= one.own
        return found

    @cached_property
    def attributes(self) -> set[str]:
        """Names that the class body annotates or assigns, or that ``self`` is given."""
        found: set[str] = set()
        for one in (self, *self.ancestors):
            for node in ast.walk(one.node):
                if isinstance(node, ast.AnnAssign | ast.Assign):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    found |= {target.id for target in targets if isinstance(target, ast.Name)}
                    found |= {target.attr for target in targets if isinstance(target, ast.Attribute)}
        return found

    @cached_property
    def is_port(self) -> bool:
        """Whether it is a Protocol of a core's ports."""
        place = self.file.inner
        holds = place[-1] == "ports.py" or "ports" in place[:-1]
        return self.file.layer == "core" and holds and any(base.endswith("Protocol") for base in self.bases)


def classes(member: MemberFiles) -> dict[str, Class]:
    """Every class of a member's product code at the top of a module, by dotted name."""
    known: dict[str, Class] = {}
    for file in member.source:
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef):
                known[f"{file.module}.{node.name}"] = Class(file, node, known)
    return known


def ports(known: dict[str, Class]) -> Iterator[Class]:
    """The ports among the classes that have methods of their own kind (one of ``__call__`` is a function)."""
    for found in known.values():
        if found.is_port and found.methods:
            yield found


def fits(found: Class, port: Class) -> bool:
    """Whether a class has every method of a port."""
    return port.methods.keys() <= found.methods.keys() | found.attributes
