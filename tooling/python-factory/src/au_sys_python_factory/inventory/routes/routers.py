"""Applications and routers: where they are made, and which one an expression means."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.inventory.names import Name, Names, assignments, qualname
from au_sys_python_factory.inventory.routes.values import Scope, bindings, module_scope, parameters

Kind = Literal["application", "router", "parameter"]

_MADE: dict[str, Kind] = {
    "fastapi.FastAPI": "application",
    "fastapi.applications.FastAPI": "application",
    "starlette.applications.Starlette": "application",
    "fastapi.APIRouter": "router",
    "fastapi.routing.APIRouter": "router",
    "starlette.routing.Router": "router",
}
_FAR = 12


class Router(NamedTuple):
    """An application or a router: the variable that first holds it. ``owner`` is the function or class around it."""

    module: str
    owner: str
    name: str
    kind: Kind

    @property
    def shown(self) -> str:
        """How people would call it."""
        return ".".join(part for part in (self.module, self.owner, self.name) if part)


def kind_of(names: Names, file: SourceFile, node: ast.expr | None) -> Kind | None:
    """What a call makes, when it makes an application or a router (or one of a class derived from them)."""
    if not isinstance(node, ast.Call):
        return None
    name = names.of(file, node.func)
    if not name.module:
        return _MADE.get(name.dotted)
    made = names.class_(name)
    if made is None:
        return None
    return next((_MADE[above.dotted] for above in names.ancestors(*made) if above.dotted in _MADE), None)


def meant(names: Names, node: ast.expr, scope: Scope, far: int = 0) -> list[Router]:
    """The routers that an expression can mean; empty for what is none."""
    if far > _FAR:
        return []
    match node:
        case ast.Name():
            return list(_named(names, node, scope, far))
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            return list(_of_class(names, node, scope))
        case ast.Attribute(value=ast.Name(id=name)) if name in scope.bound:
            bound = scope.bound[name]
            inner = ast.Attribute(bound.node, node.attr, ast.Load())
            return meant(names, inner, bound.scope, far + 1)
        case ast.Attribute():
            return list(_of_module(names, node, scope, far)) or list(_of_instance(names, node, scope, far))
        case ast.Call():
            return list(_returned(names, node, scope, far))
        case ast.IfExp():
            return meant(names, node.body, scope, far + 1) + meant(names, node.orelse, scope, far + 1)
    return []


def _named(names: Names, node: ast.Name, scope: Scope, far: int) -> Iterator[Router]:
    if node.id in scope.bound:
        bound = scope.bound[node.id]
        yield from meant(names, bound.node, bound.scope, far + 1)
        return
    for function in scope.functions:
        values = [v for t, v in assignments(function.body) if isinstance(t, ast.Name) and t.id == node.id]
        for value in values:
            kind = kind_of(names, scope.file, value)
            if kind is not None:
                yield Router(scope.file.module, qualname(scope.file, function), node.id, kind)
            else:
                yield from meant(names, value, Scope(scope.file, function, scope.bound), far + 1)
        if values:
            return
        if node.id in parameters(function):
            yield Router(scope.file.module, qualname(scope.file, function), node.id, "parameter")
            return
    yield from _of_module(names, node, scope, far)


def _of_module(names: Names, node: ast.expr, scope: Scope, far: int) -> Iterator[Router]:
    name = names.of(scope.file, node)
    value = names.value(name) if name.module else None
    if value is None:
        return
    kind = kind_of(names, names.files[name.module], value)
    if kind is not None:
        yield Router(name.module, "", name.inner, kind)
    else:
        yield from meant(names, value, module_scope(names, name), far + 1)


def _of_class(names: Names, node: ast.Attribute, scope: Scope) -> Iterator[Router]:
    place = scope.file.class_of(scope.place)
    if place is not None:
        yield from attributes(names, scope.file, place, node.attr)


def attributes(names: Names, file: SourceFile, place: ast.ClassDef, attribute: str) -> Iterator[Router]:
    """Routers that the methods or the body of a class keep under a name."""
    for function in (item for item in place.body if isinstance(item, Function)):
        for target, value in assignments(function.body):
            own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
            if own and isinstance(target, ast.Attribute) and target.attr == attribute:
                kind = kind_of(names, file, value)
                if kind is not None:
                    yield Router(file.module, qualname(file, place), attribute, kind)
    for target, value in assignments(place.body):
        kind = kind_of(names, file, value)
        if kind is not None and isinstance(target, ast.Name) and target.id == attribute:
            yield Router(file.module, qualname(file, place), attribute, kind)


def _of_instance(names: Names, node: ast.Attribute, scope: Scope, far: int) -> Iterator[Router]:
    for bound in bindings(names, node.value, scope):
        yield from _kept_by(names, bound.node, bound.scope, node.attr)
    yield from _kept_by(names, node.value, scope, node.attr)


def _kept_by(names: Names, node: ast.expr, scope: Scope, attribute: str) -> Iterator[Router]:
    if isinstance(node, ast.Call):
        made = names.class_(names.of(scope.file, node.func))
        if made is not None:
            yield from attributes(names, *made, attribute)


def _returned(names: Names, node: ast.Call, scope: Scope, far: int) -> Iterator[Router]:
    kind = kind_of(names, scope.file, node)
    if kind is not None:
        yield Router(scope.file.module, "", f"<line {node.lineno}>", kind)
        return
    called = called_function(names, node, scope)
    if called is None:
        return
    file, function = called
    for given in (item for item in ast.walk(function) if isinstance(item, ast.Return) and item.value is not None):
        if file.function_of(given) is function and given.value is not None:
            yield from meant(names, given.value, Scope(file, given, {}), far + 1)


def called_function(names: Names, node: ast.Call, scope: Scope) -> tuple[SourceFile, Function] | None:
    """The application's own function or method that a call runs."""
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "self":
        place = scope.file.class_of(scope.place)
        inner = f"{qualname(scope.file, place)}.{node.func.attr}" if place is not None else ""
        return names.function(Name(scope.file.module, inner))
    for function in scope.functions:
        inner = f"{qualname(scope.file, function)}.{ast.unparse(node.func)}"
        found = names.function(Name(scope.file.module, inner))
        if found is not None:
            return found
    return names.function(names.of(scope.file, node.func))
