"""What a name stands for, followed through the imports of all modules."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from au_sys_python_factory.checks.reading.source import Function, SourceFile

_FAR = 20
"""Imports that a name is followed through; more are a circle."""


class Name(NamedTuple):
    """``inner`` of one of the application's modules; ``module`` is empty for what comes from outside."""

    module: str
    inner: str

    @property
    def dotted(self) -> str:
        """Module and inner name with a dot between them."""
        return f"{self.module}.{self.inner}" if self.module and self.inner else self.module or self.inner


class Names:
    """Every module of the application by its dotted name, with and without a ``src.`` in front."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self.files: dict[str, SourceFile] = {}
        for file in files:
            self.files.setdefault(file.module, file)

    def module(self, dotted: str) -> SourceFile | None:
        """The module of that name."""
        return self.files.get(dotted) or self.files.get(dotted.removeprefix("src.")) or self.files.get(f"src.{dotted}")

    @cached_property
    def _defined(self) -> dict[str, frozenset[str]]:
        return {file.module: frozenset(_defined(file.tree.body)) for file in self.files.values()}

    @cached_property
    def _stars(self) -> dict[str, list[str]]:
        return {file.module: [item.module for item in file.imports if item.name == "*"] for file in self.files.values()}

    @cached_property
    def _calls(self) -> dict[Name, list[tuple[SourceFile, ast.Call]]]:
        found: dict[Name, list[tuple[SourceFile, ast.Call]]] = {}
        for file in self.files.values():
            for call in file.find(ast.Call):
                name = self.of(file, call.func)
                if name.module:
                    found.setdefault(name, []).append((file, call))
        return found

    def callers(self, name: Name) -> list[tuple[SourceFile, ast.Call]]:
        """The calls of a module-level function by its name."""
        return self._calls.get(name, [])

    def defines(self, file: SourceFile, name: str) -> bool:
        """Whether a module binds the name itself, other than by an import."""
        return name in self._defined[file.module]

    def canonical(self, dotted: str, far: int = 0) -> Name:
        """Where a dotted name leads to."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            file = self.module(".".join(parts[:cut]))
            if file is not None:
                return self._inside(file, parts[cut:], far)
        return Name("", dotted)

    def _inside(self, file: SourceFile, rest: list[str], far: int) -> Name:
        if not rest:
            return Name(file.module, "")
        if rest[0] in self._defined[file.module] or far > _FAR:
            return Name(file.module, ".".join(rest))
        alias = file.aliases.get(rest[0])
        if alias is not None and alias != f"{file.module}.{rest[0]}":
            return self.canonical(".".join([alias, *rest[1:]]), far + 1)
        return self._by_star(file, rest, far) or Name(file.module, ".".join(rest))

    def _by_star(self, file: SourceFile, rest: list[str], far: int) -> Name | None:
        for star in self._stars[file.module]:
            source = self.module(star)
            if source is not None and far <= _FAR:
                found = self._inside(source, rest, far + 1)
                if found.module and self.defined(found):
                    return found
        return None

    def defined(self, name: Name) -> bool:
        """Whether a name is really bound where it leads to."""
        file = self.files.get(name.module)
        return file is not None and name.inner.split(".")[0] in self._defined[file.module]

    def of(self, file: SourceFile, node: ast.AST | None) -> Name:
        """What an expression of plain names stands for, seen from a module."""
        dotted = file.qualified(node)
        first = dotted.split(".")[0]
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        imported = isinstance(root, ast.Name) and root.id in file.aliases
        if imported and isinstance(root, ast.Name) and not self.defines(file, root.id):
            return self.canonical(dotted)
        if self.defines(file, first):
            return Name(file.module, dotted)
        return (self._by_star(file, dotted.split("."), 0) if dotted else None) or Name("", dotted)

    def value(self, name: Name) -> ast.expr | None:
        """What a module-level name is bound to, last binding first; ``None`` for what is no plain assignment."""
        file = self.files.get(name.module)
        if file is None or "." in name.inner:
            return None
        found: ast.expr | None = None
        for target, value in assignments(file.tree.body):
            if isinstance(target, ast.Name) and target.id == name.inner:
                found = value
        return found

    def function(self, name: Name) -> tuple[SourceFile, Function] | None:
        """The function or method of that name."""
        file = self.files.get(name.module)
        return (
            None if file is None else next(((file, f) for f in file.functions if qualname(file, f) == name.inner), None)
        )

    def class_(self, name: Name) -> tuple[SourceFile, ast.ClassDef] | None:
        """The class of that name."""
        file = self.files.get(name.module)
        if file is None:
            return None
        return next(((file, c) for c in file.find(ast.ClassDef) if qualname(file, c) == name.inner), None)

    def ancestors(self, file: SourceFile, node: ast.ClassDef, far: int = 0) -> Iterator[Name]:
        """The classes that a class is made of, near ones first."""
        for base in node.bases:
            bare = base.value if isinstance(base, ast.Subscript) else base
            name = self.of(file, bare)
            yield name
            found = self.class_(name)
            if found is not None and far < _FAR:
                yield from self.ancestors(*found, far + 1)


def qualname(file: SourceFile, node: ast.AST) -> str:
    """The name of a function or class with those around it, as Python calls it."""
    around = [above for above in file.parents(node) if isinstance(above, ast.ClassDef | Function)]
    names = [getattr(node, "name", ""), *(above.name for above in around)]
    return ".".join(reversed(names))


def assignments(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Targets and values, also below ``if``, ``try``, ``with`` and loops, but not inside functions and classes."""
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                yield from _paired(target, statement.value)
        elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
            if statement.value is not None:
                yield statement.target, statement.value
        elif not isinstance(statement, Function | ast.ClassDef):
            yield from assignments(_inner(statement))


def _paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """``a, b = x, y`` is two assignments."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _paired(one, other)
    else:
        yield target, value


def _inner(statement: ast.stmt) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        yield from getattr(statement, name, ())
    for handler in getattr(statement, "handlers", ()):
        yield from handler.body


def _defined(body: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, Function | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
            yield from _defined(_inner(statement))
        else:
            yield from _defined(_inner(statement))
