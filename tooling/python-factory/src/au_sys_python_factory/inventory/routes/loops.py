"""What loops go over, so that a statement inside is seen once for each turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.inventory.names import Names, assignments
from au_sys_python_factory.inventory.routes.values import Bound, Scope, bindings, tables

_MANY = 64
_FAR = 12
_WRAPPERS = {"list", "tuple", "set", "sorted", "reversed", "frozenset"}


def unrolled(names: Names, file: SourceFile, node: ast.AST) -> list[Scope]:
    """The scopes of a statement: one for each turn of the loops around it."""
    loops = []
    for above in file.parents(node):
        if isinstance(above, Function):
            break
        if isinstance(above, ast.For):
            loops.append(above)
    scopes = [Scope(file, node, {})]
    for loop in reversed(loops):
        scopes = [turn for scope in scopes for turn in _turns(names, loop, scope)][:_MANY]
    return scopes


def _turns(names: Names, loop: ast.For, scope: Scope) -> list[Scope]:
    found = elements(names, loop.iter, scope)
    if not found:
        return [scope]
    return [
        Scope(scope.file, scope.place, {**scope.bound, **_bound(loop.target, element)}, scope.sure and element.sure)
        for element in found
    ]


def _bound(target: ast.expr, element: Bound) -> dict[str, Bound]:
    if isinstance(target, ast.Name):
        return {target.id: element}
    if isinstance(target, ast.Tuple) and isinstance(element.node, ast.Tuple | ast.List):
        pairs = zip(target.elts, element.node.elts, strict=False)
        return {
            name: bound for part, value in pairs for name, bound in _bound(part, Bound(value, element.scope)).items()
        }
    return {}


def elements(names: Names, node: ast.expr, scope: Scope, far: int = 0) -> list[Bound] | None:
    """What a loop goes over; ``None`` when the text does not say."""
    if far > _FAR:
        return None
    match node:
        case ast.Tuple() | ast.List() | ast.Set():
            return [Bound(item, scope) for item in node.elts]
        case ast.IfExp():
            either = [elements(names, side, scope, far + 1) or [] for side in (node.body, node.orelse)]
            return [item._replace(sure=False) for items in either for item in items]
        case ast.Dict():
            return [Bound(key, scope) for key in node.keys if key is not None]
        case ast.BinOp(op=ast.Add()):
            left, right = (elements(names, side, scope, far + 1) for side in (node.left, node.right))
            return None if left is None or right is None else left + right
        case ast.Call(func=ast.Name(id=wrapper), args=[inner, *_]) if wrapper in _WRAPPERS:
            return elements(names, inner, scope, far + 1)
        case ast.Call(func=ast.Attribute(value=table, attr=("items" | "values" | "keys") as part), args=[]):
            return _parts(names, table, scope, part)
        case ast.Name() | ast.Attribute():
            found = [elements(names, bound.node, bound.scope, far + 1) for bound in bindings(names, node, scope)]
            known = [item for items in found if items is not None for item in items]
            return known + _grown(names, node, scope, far) if found and None not in found else None
    return None


def _grown(names: Names, node: ast.expr, scope: Scope, far: int) -> list[Bound]:
    """What functions add to a list of their module later on, also under another name: ``a = LIST; a += [b]``."""
    name = names.of(scope.file, node)
    if names.value(name) is None:
        return []
    file, found = names.files[name.module], list[Bound]()
    for grown in file.find(ast.AugAssign):
        function = file.function_of(grown)
        if isinstance(function, Function) and isinstance(grown.op, ast.Add):
            same = [name.inner, *_aliases(function, name.inner)]
            if isinstance(grown.target, ast.Name) and grown.target.id in same:
                found += elements(names, grown.value, Scope(file, grown, {}), far + 1) or []
    return [item._replace(sure=False) for item in found]


def _aliases(function: Function, name: str) -> Iterator[str]:
    for target, value in assignments(function.body):
        either = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
        if isinstance(target, ast.Name) and any(isinstance(item, ast.Name) and item.id == name for item in either):
            yield target.id


def _parts(names: Names, table: ast.expr, scope: Scope, part: str) -> list[Bound] | None:
    found = list(tables(names, table, scope))
    if not found:
        return None
    parts: list[Bound] = []
    for whole in found:
        for key, value in zip(whole.node.keys, whole.node.values, strict=True):
            if key is not None:
                pair = ast.Tuple([key, value], ast.Load())
                parts.append(Bound({"items": pair, "keys": key, "values": value}[part], whole.scope))
    return parts
