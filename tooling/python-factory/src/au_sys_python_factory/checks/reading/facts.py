"""What rules about members ask of each file: kept between runs, so that one edit does not parse its neighbours."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple  # Any: rows of JSON

if TYPE_CHECKING:
    from au_sys_python_factory.checks.reading.source import SourceFile

_METHODS = {"get", "post", "put", "patch", "delete"}


class Shape(NamedTuple):
    """A class at the top of a module: dotted names of its bases, its public methods, its attributes."""

    name: str
    line: int
    bases: list[str]
    methods: list[str]
    attributes: list[str]


class Runs(NamedTuple):
    """A function and what its body calls by name; ``place`` is "top" at the top of a module."""

    name: str
    colour: str
    place: str
    calls: list[str]


class Asked(NamedTuple):
    """A path that a test names, with the method of the call (or "") and the statuses in the same function."""

    method: str
    path: str
    statuses: list[int]


class Facts(NamedTuple):
    """All of them; ``dropped`` are dotted names of calls whose result nobody takes."""

    shapes: list[Shape]
    runs: list[Runs]
    dropped: list[str]
    asked: list[Asked]


def facts_of(file: SourceFile) -> Facts:
    """The facts of a parsed file."""
    calls = [node.value.func for node in file.find(ast.Expr) if isinstance(node.value, ast.Call)]
    names = {file.qualified(call) for call in calls} - {""}
    dropped = {name if "." in name else f"{file.module}.{name}" for name in names}
    return Facts(_shapes(file), _runs(file), sorted(dropped), _asked(file) if file.area == "tests" else [])


def from_row(row: list[Any]) -> Facts:
    """The facts as a run before wrote them."""
    shapes, runs, dropped, asked = row
    return Facts([Shape(*one) for one in shapes], [Runs(*one) for one in runs], dropped, [Asked(*one) for one in asked])


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _shapes(file: SourceFile) -> list[Shape]:
    found = []
    for node in file.tree.body if file.area == "source" else ():
        if isinstance(node, ast.ClassDef):
            bases = [file.qualified(kind.value if isinstance(kind, ast.Subscript) else kind) for kind in node.bases]
            bases = [name if "." in name else f"{file.module}.{name}" for name in bases]
            own = [item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
            methods = [name for name in own if not name.startswith("_")]
            found.append(Shape(node.name, node.lineno, bases, methods, _attributes(node)))
    return found


def _attributes(owner: ast.ClassDef) -> list[str]:
    """Names that the class body annotates or assigns, or that ``self`` is given."""
    found: set[str] = set()
    for node in ast.walk(owner):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {_last(target) for target in targets if isinstance(target, ast.Name | ast.Attribute)}
    return sorted(found)


def _runs(file: SourceFile) -> list[Runs]:
    """Functions with their calls; of plain ones only those that others can call by name."""
    calls: dict[ast.AST | None, set[str]] = defaultdict(set)
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        if name:
            calls[file.function_of(call)].add(name if "." in name else f"{file.module}.{name}")
    found = []
    for function in file.functions:
        top = isinstance(file.parent(function), ast.Module)
        waits = isinstance(function, ast.AsyncFunctionDef)
        if top or waits:
            place = "top" if top else "inside"
            colour = "async" if waits else "plain"
            plain = "" if function.decorator_list else colour
            found.append(Runs(function.name, plain or f"{colour}, decorated", place, sorted(calls[function])))
    return found


def _asked(file: SourceFile) -> list[Asked]:
    paths: dict[ast.AST | None, list[tuple[str, str]]] = defaultdict(list)
    statuses: dict[ast.AST | None, set[int]] = defaultdict(set)
    for node in file.find(ast.Constant):
        if isinstance(node.value, str):
            if "/" in node.value and len(node.value) < 200:
                paths[file.function_of(node)].append(_named(file, node))
        elif type(node.value) is int and 200 <= node.value < 600:
            statuses[file.function_of(node)].add(node.value)
    return [
        Asked(method, path, sorted({200} | statuses[function] | statuses[None]))
        for function, named in paths.items()
        for method, path in sorted(set(named))
    ]


def _named(file: SourceFile, node: ast.Constant) -> tuple[str, str]:
    """The method and the path of a call such as ``client.post("/notes")``; no method where the text stands alone."""
    above = file.parent(node)
    whole: ast.AST = node
    text = str(node.value)
    if isinstance(above, ast.JoinedStr):
        whole = above
        text = "".join(str(item.value) if isinstance(item, ast.Constant) else "x" for item in above.values)
    call = file.parent(whole)
    name = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
    return (name if name in _METHODS else ""), text.partition("?")[0]
