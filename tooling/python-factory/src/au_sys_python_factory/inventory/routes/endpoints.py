"""Routes as they are declared: by decorators, by calls, through variables and partials."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.inventory.names import Name, Names, qualname
from au_sys_python_factory.inventory.routes.loops import unrolled
from au_sys_python_factory.inventory.routes.routers import Router, meant
from au_sys_python_factory.inventory.routes.values import Scope, Unknown, bindings, certain, texts, values

_VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "trace"}
_WEBSOCKETS = {"websocket", "websocket_route", "add_api_websocket_route", "add_websocket_route"}
_DECORATING = {*_VERBS, "api_route", "route", "websocket", "websocket_route"}
_ADDING = {"add_api_route", "add_route", "add_api_websocket_route", "add_websocket_route"}
WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True)
class Endpoint:
    """The function behind a route."""

    name: str
    path: str
    line: int
    is_async: bool
    parameters: tuple[str, ...]
    response_model: str
    dependencies: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A route as its router knows it; ``certain`` is false when text does not decide path, methods or endpoint."""

    router: Router
    path: str
    methods: tuple[str, ...]
    endpoint: Endpoint
    file: str
    line: int
    certain: bool = field(default=True)


def declared(names: Names, file: SourceFile) -> Iterator[Declared]:
    """Every route that a module declares."""
    for function in file.functions:
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call):
                yield from _routes(names, file, decorator, Name(file.module, qualname(file, function)))
    for call in file.find(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _ADDING:
            yield from _added(names, file, call)
        elif isinstance(call.func, ast.Call) and len(call.args) == 1:
            yield from _routes(names, file, call.func, None, call.args[0])


def _routes(
    names: Names, file: SourceFile, call: ast.Call, endpoint: Name | None, given: ast.expr | None = None
) -> Iterator[Declared]:
    for scope in unrolled(names, file, call):
        for target, partial in _meanings(names, call.func, scope):
            if target.attr in _DECORATING:
                for router in meant(names, target.value, scope):
                    name = endpoint or _name_of(names, given, scope)
                    yield from _made(names, scope, call, router, target.attr, name, [*call.keywords, *partial])


def _meanings(names: Names, node: ast.expr, scope: Scope) -> Iterator[tuple[ast.Attribute, list[ast.keyword]]]:
    """The router's method that a decorator means, with what a partial has given to it already."""
    if isinstance(node, ast.Attribute):
        yield node, []
    found = bindings(names, node, scope) if isinstance(node, ast.Name) else []
    for bound in found:
        if isinstance(bound.node, ast.Attribute):
            yield bound.node, []
        elif isinstance(bound.node, ast.Call) and bound.node.args:
            made_by = names.of(bound.scope.file, bound.node.func).dotted
            if made_by == "functools.partial" and isinstance(bound.node.args[0], ast.Attribute):
                yield bound.node.args[0], bound.node.keywords


def _added(names: Names, file: SourceFile, call: ast.Call) -> Iterator[Declared]:
    if not isinstance(call.func, ast.Attribute):
        return
    given = (
        call.args[1] if len(call.args) > 1 else _keyword(call.keywords, "endpoint") or _keyword(call.keywords, "route")
    )
    for scope in unrolled(names, file, call):
        for router in meant(names, call.func.value, scope):
            endpoint = _name_of(names, given, scope)
            yield from _made(names, scope, call, router, call.func.attr, endpoint, call.keywords)


def _name_of(names: Names, node: ast.expr | None, scope: Scope) -> Name:
    """Which function an expression means."""
    if node is None:
        return Name("", "")
    if isinstance(node, ast.Name) and node.id in scope.bound:
        bound = scope.bound[node.id]
        return _name_of(names, bound.node, bound.scope)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        place = scope.file.class_of(scope.place)
        return Name(scope.file.module, f"{qualname(scope.file, place)}.{node.attr}" if place is not None else node.attr)
    for function in scope.functions:
        local = Name(scope.file.module, f"{qualname(scope.file, function)}.{ast.unparse(node)}")
        if names.function(local) is not None:
            return local
    return names.of(scope.file, node)


def _made(
    names: Names, scope: Scope, call: ast.Call, router: Router, method: str, endpoint: Name, given: list[ast.keyword]
) -> Iterator[Declared]:
    path_node = call.args[0] if call.args else _keyword(given, "path")
    methods, known = _methods(names, scope, method, given)
    behind = _endpoint(names, endpoint, given)
    conditional = any(isinstance(above, ast.If | ast.Try) for above in scope.file.parents(call))
    for path in texts(names, path_node, scope):
        sure = known and scope.sure and not conditional and certain(path) and behind.line > 0
        yield Declared(router, path, methods, behind, scope.file.relative, call.lineno, sure)


def _methods(names: Names, scope: Scope, method: str, given: list[ast.keyword]) -> tuple[tuple[str, ...], bool]:
    if method in _WEBSOCKETS:
        return (WEBSOCKET,), True
    if method in _VERBS:
        return (method.upper(),), True
    node = _keyword(given, "methods")
    if node is None:
        return ("GET",), True
    inner = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else None
    if inner is None:
        found = [bound.node for bound in bindings(names, node, scope)]
        inner = [item for whole in found if isinstance(whole, ast.List | ast.Tuple | ast.Set) for item in whole.elts]
    verbs = [value for item in inner for value in values(names, item, scope)]
    known = bool(verbs) and not any(isinstance(verb, Unknown) for verb in verbs)
    return tuple(sorted(str(verb).upper() for verb in verbs)) or ("?",), known


def _endpoint(names: Names, name: Name, given: list[ast.keyword]) -> Endpoint:
    found = names.function(name)
    model = _keyword(given, "response_model")
    if found is None:
        return Endpoint(name.dotted or "?", "", 0, False, (), ast.unparse(model) if model else "", ())
    file, function = found
    shown = ast.unparse(model) if model else ast.unparse(function.returns) if function.returns else ""
    around = _keyword(given, "dependencies")
    return Endpoint(
        name.dotted, file.relative, function.lineno, isinstance(function, ast.AsyncFunctionDef),
        tuple(_parameters(function)), shown, tuple(_dependencies(function, around)),
    )  # fmt: skip


def _parameters(function: Function) -> Iterator[str]:
    given = function.args
    for item in (*given.posonlyargs, *given.args, *given.kwonlyargs):
        if item.arg not in ("self", "cls"):
            yield f"{item.arg}: {ast.unparse(item.annotation)}" if item.annotation else item.arg


def _dependencies(function: Function, around: ast.expr | None) -> Iterator[str]:
    for node in (function.args, *([around] if around is not None else [])):
        for call in (item for item in ast.walk(node) if isinstance(item, ast.Call)):
            if ast.unparse(call.func).split(".")[-1] in ("Depends", "Security"):
                yield ast.unparse(call.args[0]) if call.args else "Depends()"


def _keyword(given: list[ast.keyword], name: str) -> ast.expr | None:
    return next((item.value for item in given if item.arg == name), None)
