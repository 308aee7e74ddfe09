"""What an expression can be worth, as far as its text decides it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.inventory.names import Name, Names, assignments, qualname

_MANY = 64
_FAR = 12
_METHODS = {
    "strip", "lstrip", "rstrip", "lower", "upper", "split", "replace", "removeprefix", "removesuffix", "format", "join",
}  # fmt: skip


class Unknown(str):
    """What only running would tell, as its text between angle brackets."""

    __slots__ = ()


class Scope(NamedTuple):
    """Where an expression stands; ``bound``: what loops around it give to names, ``sure``: whether they surely do."""

    file: SourceFile
    place: ast.AST
    bound: Mapping[str, Bound]
    sure: bool = True

    @property
    def functions(self) -> list[Function]:
        """The functions around it, innermost first."""
        found = [self.place] if isinstance(self.place, Function) else []
        below = self.place
        for above in self.file.parents(self.place):
            if isinstance(above, Function) and below not in above.decorator_list:
                found.append(above)
            below = above
        return found


class Bound(NamedTuple):
    """An expression with the scope that it stands in; not ``sure``: one of several that running decides between."""

    node: ast.expr
    scope: Scope
    sure: bool = True


def values(names: Names, node: ast.expr, scope: Scope, far: int = 0) -> list[object]:
    """Everything that an expression can be; one ``Unknown`` when nobody knows."""
    found = list(_values(names, node, scope, far))[:_MANY] if far < _FAR else []
    return found or [Unknown(f"<{ast.unparse(node)}>")]


def texts(names: Names, node: ast.expr | None, scope: Scope, default: str = "") -> list[str]:
    """The same for text; what is no text is unknown."""
    if node is None:
        return [default]
    return [found if isinstance(found, str) else Unknown(f"<{found}>") for found in values(names, node, scope)]


def certain(text: str) -> bool:
    """Whether nothing in a text had to be left open."""
    return "<" not in text


def _values(names: Names, node: ast.expr, scope: Scope, far: int) -> Iterator[object]:
    match node:
        case ast.Constant():
            yield node.value
        case ast.Name() | ast.Attribute():
            for found in bindings(names, node, scope):
                yield from values(names, found.node, found.scope, far + 1)
        case ast.JoinedStr():
            parts = [values(names, _formatted(part), scope, far + 1) for part in node.values]
            yield from ("".join(map(str, found)) for found in product(*parts))
        case ast.BinOp(op=ast.Add()):
            pairs = product(values(names, node.left, scope, far + 1), values(names, node.right, scope, far + 1))
            yield from (left + right for left, right in pairs if isinstance(left, str) and isinstance(right, str))
        case ast.IfExp():
            yield from values(names, node.body, scope, far + 1)
            yield from values(names, node.orelse, scope, far + 1)
        case ast.Subscript():
            yield from _picked(names, node, scope, far)
        case ast.Call():
            yield from _called(names, node, scope, far)
        case _:
            return


def _formatted(part: ast.expr) -> ast.expr:
    return part.value if isinstance(part, ast.FormattedValue) else part


def _picked(names: Names, node: ast.Subscript, scope: Scope, far: int) -> Iterator[object]:
    if isinstance(node.slice, ast.Slice):
        yield from _sliced(names, node.value, node.slice, scope, far)
        return
    for key in values(names, node.slice, scope, far + 1):
        if isinstance(key, int):
            for whole in values(names, node.value, scope, far + 1):
                if isinstance(whole, list) and -len(whole) <= key < len(whole):
                    yield whole[key]
        for table in tables(names, node.value, scope):
            for at, value in zip(table.node.keys, table.node.values, strict=True):
                if isinstance(at, ast.Constant) and at.value == key:
                    yield from values(names, value, table.scope, far + 1)


def _sliced(names: Names, node: ast.expr, part: ast.Slice, scope: Scope, far: int) -> Iterator[object]:
    ends = [values(names, end, scope, far + 1)[0] if end is not None else None for end in (part.lower, part.upper)]
    for whole in values(names, node, scope, far + 1):
        known = isinstance(whole, str | list) and not isinstance(whole, Unknown)
        if known and part.step is None and all(end is None or isinstance(end, int) for end in ends):
            yield whole[slice(*ends)]  # type: ignore[index]  # text or list, as asked above


class Table(NamedTuple):
    """A dictionary that is written out."""

    node: ast.Dict
    scope: Scope


def tables(names: Names, node: ast.expr, scope: Scope) -> Iterator[Table]:
    """The dictionaries that an expression can mean."""
    whole = [Bound(node, scope)] if isinstance(node, ast.Dict) else bindings(names, node, scope)
    yield from (Table(found.node, found.scope) for found in whole if isinstance(found.node, ast.Dict))


def _called(names: Names, node: ast.Call, scope: Scope, far: int) -> Iterator[object]:
    """Methods of text with constant arguments."""
    if not (isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS) or node.keywords:
        return
    given = [values(names, argument, scope, far + 1) for argument in node.args]
    for text in values(names, node.func.value, scope, far + 1):
        for arguments in product(*given):
            if isinstance(text, str) and not isinstance(text, Unknown):
                yield from _result(text, node.func.attr, arguments)


def _result(text: str, method: str, arguments: tuple[object, ...]) -> Iterator[object]:
    try:
        yield getattr(text, method)(*arguments)
    except (TypeError, ValueError, LookupError):
        return


def bindings(names: Names, node: ast.expr, scope: Scope) -> list[Bound]:
    """The expressions that a name can stand for: a loop's element, a local's, a default's or a module's value."""
    if isinstance(node, ast.Name):
        if node.id in scope.bound:
            return [scope.bound[node.id]]
        for function in scope.functions:
            found = [
                Bound(value, Scope(scope.file, function, scope.bound))
                for target, value in assignments(function.body)
                if isinstance(target, ast.Name) and target.id == node.id
            ]
            if found:
                return found
            if node.id in parameters(function):
                return _given(names, scope.file, function, node.id)
    name = names.of(scope.file, node)
    value = names.value(name) if name.module else None
    return [] if value is None else [Bound(value, module_scope(names, name))]


def _given(names: Names, file: SourceFile, function: Function, name: str) -> list[Bound]:
    """What the callers of a function give as a parameter, or its default where they give nothing."""
    default = default_of(function, name)
    left_out = [] if default is None else [Bound(default, Scope(file, function, {}))]
    found: list[Bound] = []
    callers = names.callers(Name(file.module, qualname(file, function)))
    for caller, call in callers:
        value = argument(function, call, name)
        found += left_out if value is None else [Bound(value, Scope(caller, call, {}))]
    return found if callers else left_out


def argument(function: Function, call: ast.Call, name: str) -> ast.expr | None:
    """What a call gives as the parameter."""
    placed = [item.arg for item in (*function.args.posonlyargs, *function.args.args) if item.arg not in ("self", "cls")]
    by_place = dict(zip(placed, call.args, strict=False))
    return next((item.value for item in call.keywords if item.arg == name), by_place.get(name))


def module_scope(names: Names, name: Name) -> Scope:
    """The top of the module that a name belongs to."""
    file = names.files[name.module]
    return Scope(file, file.tree, {})


def parameters(function: Function) -> list[str]:
    """The names of all parameters."""
    given = function.args
    return [item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def default_of(function: Function, name: str) -> ast.expr | None:
    """What a parameter is worth when nothing is given."""
    given = function.args
    placed = [*given.posonlyargs, *given.args]
    with_default = dict(zip([item.arg for item in reversed(placed)], reversed(given.defaults), strict=False))
    named = {item.arg: value for item, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value}
    return {**with_default, **named}.get(name)
