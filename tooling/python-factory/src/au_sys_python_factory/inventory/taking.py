"""The whole inventory of an application."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.checks.layout.sizes import complexity
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.facts.doings import doings
from au_sys_python_factory.inventory.facts.model import Fact
from au_sys_python_factory.inventory.facts.shapes import shapes
from au_sys_python_factory.inventory.imports import Import, arrows, circles, imports, unused
from au_sys_python_factory.inventory.layers import Evidence, evidence
from au_sys_python_factory.inventory.names import Names
from au_sys_python_factory.inventory.routes.composing import Route, routes
from au_sys_python_factory.inventory.sources import Unreadable, read
from au_sys_python_factory.inventory.surroundings import surroundings


@dataclass(frozen=True)
class Module:
    """One Python file. ``complexity``: of its most tangled function; ``acts``: importing it does more than naming."""

    name: str
    path: str
    tests: bool
    lines: int
    classes: int
    functions: int
    complexity: int
    imports: tuple[Import, ...]
    evidence: tuple[Evidence, ...]
    acts: bool

    @property
    def places(self) -> tuple[str, ...]:
        """Where its parts would go; more than one: it mixes layers."""
        return tuple(sorted({item.place for item in self.evidence}))


@dataclass(frozen=True)
class Inventory:
    """Everything that was found; ``twice``: names that several files claim."""

    name: str
    modules: tuple[Module, ...]
    routes: tuple[Route, ...]
    facts: tuple[Fact, ...]
    circles: tuple[tuple[str, ...], ...]
    unused: tuple[str, ...]
    twice: tuple[tuple[str, ...], ...]
    unreadable: tuple[Unreadable, ...]


def take(where: Path) -> Inventory:
    """Read a folder or an archive. Raises ``Refused`` when there is nothing to read."""
    sources = read(where)
    code = tuple(file for file in sources.files if file.area == "source")
    names, everything = Names(code), Names(sources.files)
    answered = routes(names, code)
    about = [fact for file in code for fact in (*shapes(names, file), *doings(file))]
    found = {file.module: imports(everything, file) for file in sources.files}
    modules = tuple(_module(file, tuple(about), found[file.module], answered) for file in sources.files)
    own = {file.module: found[file.module] for file in code}
    return Inventory(
        sources.name, modules, answered, tuple(sorted({*about, *surroundings(sources)})),
        circles(arrows(own, all_kinds=False)), unused(code, arrows(found, all_kinds=True)),
        tuple(_twice(sources.files)), sources.unreadable,
    )  # fmt: skip


def _module(
    file: SourceFile, facts: tuple[Fact, ...], found: tuple[Import, ...], answered: tuple[Route, ...]
) -> Module:
    own = tuple(fact for fact in facts if fact.path == file.relative)
    declared = sum(route.file == file.relative for route in answered)
    tangled = max((complexity(function) for function in file.functions), default=0)
    return Module(
        file.module, file.relative, file.area == "tests", len(file.lines), len(file.find(ast.ClassDef)),
        len(file.functions), tangled, found, evidence(file, own, found, declared), _acts(file.tree.body),
    )  # fmt: skip


def _acts(body: list[ast.stmt]) -> bool:
    """Whether statements do anything but import, define and name."""
    for node in body:
        called = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        if called or isinstance(node, ast.For | ast.While | ast.With | ast.Delete):
            return True
        if isinstance(node, ast.Try | ast.If):
            inner = [*node.body, *node.orelse, *(part for item in getattr(node, "handlers", ()) for part in item.body)]
            if "TYPE_CHECKING" not in ast.unparse(node).partition(":")[0] and _acts(inner):
                return True
    return False


def _twice(files: tuple[SourceFile, ...]) -> list[tuple[str, ...]]:
    by_name: dict[str, list[str]] = {}
    for file in files:
        by_name.setdefault(file.path.stem, []).append(file.relative)
    return [tuple(paths) for stem, paths in sorted(by_name.items()) if len(paths) > 1 and stem != "__init__"]
