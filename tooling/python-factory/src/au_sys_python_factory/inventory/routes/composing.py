"""Full paths: routers included in routers, applications mounted in applications, as far down as they go."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.names import Names, qualname
from au_sys_python_factory.inventory.routes.endpoints import Declared, Endpoint, declared
from au_sys_python_factory.inventory.routes.loops import unrolled
from au_sys_python_factory.inventory.routes.routers import Router, attributes, called_function, kind_of, meant
from au_sys_python_factory.inventory.routes.values import Scope, certain, parameters, texts

_DEEP = 12


@dataclass(frozen=True)
class Route:
    """A request that the application answers. ``certain`` is false when the text alone does not decide it."""

    path: str
    methods: tuple[str, ...]
    endpoint: Endpoint
    file: str
    line: int
    certain: bool
    application: str


class _Inside(NamedTuple):
    parent: Router
    child: Router
    prefix: str
    certain: bool


def routes(names: Names, files: tuple[SourceFile, ...]) -> tuple[Route, ...]:
    """Every route with its full path, in the order of paths; those that no application includes are guesses."""
    own: dict[Router, list[Declared]] = defaultdict(list)
    for file in files:
        for item in declared(names, file):
            own[item.router].append(item)
    below: dict[Router, list[_Inside]] = defaultdict(list)
    for inside in _composed(names, files):
        below[inside.parent].append(inside)
    children = {inside.child for found in below.values() for inside in found}
    everybody = {*own, *below}
    roots = {router for router in everybody if router not in children and router.kind != "parameter"}
    found: dict[tuple[str, tuple[str, ...], str], Route] = {}
    for root in sorted(roots):
        for route in _of(names, root, own, below, "", root, 0):
            known = route if root.kind == "application" else replace(route, certain=False)
            key = (known.path, known.methods, known.endpoint.name)
            if key not in found or known.certain:
                found[key] = known
    return tuple(sorted(found.values(), key=lambda route: (route.path, route.methods, route.endpoint.name)))


def _of(
    names: Names,
    router: Router,
    own: dict[Router, list[Declared]],
    below: dict[Router, list[_Inside]],
    before: str,
    root: Router,
    deep: int,
) -> Iterator[Route]:
    if deep > _DEEP:
        return
    for prefix in _own_prefixes(names, router):
        start = before + prefix
        for item in own.get(router, ()):
            path = start + item.path
            sure = item.certain and certain(path)
            yield Route(path or "/", item.methods, item.endpoint, item.file, item.line, sure, root.shown)
        for inside in below.get(router, ()):
            for route in _of(names, inside.child, own, below, start + inside.prefix, root, deep + 1):
                yield route if inside.certain else replace(route, certain=False)


def _own_prefixes(names: Names, router: Router) -> list[str]:
    """What the router was made with as ``prefix``."""
    found = [text for call, scope in _made(names, router) for text in _prefix(names, call, scope)]
    return found or [""]


def _made(names: Names, router: Router) -> Iterator[tuple[ast.Call, Scope]]:
    file = names.files.get(router.module)
    if file is None or router.kind == "parameter":
        return
    for call in file.find(ast.Call):
        if kind_of(names, file, call) is not None and router in _held(names, file, call):
            yield call, Scope(file, call, {})


def _held(names: Names, file: SourceFile, call: ast.Call) -> list[Router]:
    """The router that a making call becomes, by the variable that it is bound to."""
    holder = file.parent(call)
    targets = holder.targets if isinstance(holder, ast.Assign) else [getattr(holder, "target", None)]
    scope = Scope(file, call, {})
    found: list[Router] = []
    for target in targets:
        own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
        place = file.class_of(call)
        if own and isinstance(target, ast.Attribute) and place is not None:
            found += attributes(names, file, place, target.attr)
        elif isinstance(target, ast.Name):
            found += meant(names, target, scope)
    return found or meant(names, call, scope)


def _prefix(names: Names, call: ast.Call, scope: Scope) -> list[str]:
    node = next((item.value for item in call.keywords if item.arg == "prefix"), None)
    return texts(names, node, scope)


def _composed(names: Names, files: tuple[SourceFile, ...]) -> Iterator[_Inside]:
    for file in files:
        for call in file.find(ast.Call):
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if method in ("include_router", "mount") and isinstance(call.func, ast.Attribute):
                yield from _included(names, file, call, call.func.value, method)
            elif kind_of(names, file, call) is None:
                yield from _handed_over(names, file, call)
            else:
                yield from _living(names, file, call)


def _included(names: Names, file: SourceFile, call: ast.Call, parent: ast.expr, method: str) -> Iterator[_Inside]:
    place = {"include_router": 0, "mount": 1}[method]
    name = {"include_router": "router", "mount": "app"}[method]
    given = (
        call.args[place] if len(call.args) > place else next((k.value for k in call.keywords if k.arg == name), None)
    )
    if given is None:
        return
    conditional = any(isinstance(above, ast.If) for above in file.parents(call))
    for scope in unrolled(names, file, call):
        start = _prefix(names, call, scope) if method == "include_router" else _mounted_at(names, call, scope)
        for above in meant(names, parent, scope):
            for child in meant(names, given, scope):
                for prefix in start:
                    yield _Inside(above, child, prefix, certain(prefix) and scope.sure and not conditional)


def _mounted_at(names: Names, call: ast.Call, scope: Scope) -> list[str]:
    node = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "path"), None)
    return [text.rstrip("/") for text in texts(names, node, scope)]


def _living(names: Names, file: SourceFile, call: ast.Call) -> Iterator[_Inside]:
    """A lifespan function: the framework gives it the application."""
    given = next((item.value for item in call.keywords if item.arg == "lifespan"), None)
    if given is None:
        return
    as_call = ast.Call(given, [], [])
    called = called_function(names, as_call, Scope(file, call, {}))
    for above in _held(names, file, call) if called is not None else ():
        target, function = called or (file, None)
        if function is not None and parameters(function):
            yield _Inside(
                above, Router(target.module, qualname(target, function), parameters(function)[0], "parameter"), "", True
            )


def _handed_over(names: Names, file: SourceFile, call: ast.Call) -> Iterator[_Inside]:
    """A router given to a function that adds routes to it: what the parameter gets, the argument has."""
    scopes = unrolled(names, file, call)
    called = called_function(names, call, scopes[0])
    if called is None:
        return
    target, function = called
    inside = [name for name in parameters(function) if name not in ("self", "cls")]
    given: list[tuple[str, ast.expr]] = [*zip(inside, call.args, strict=False)]
    given += [(item.arg, item.value) for item in call.keywords if item.arg]
    for scope in scopes:
        for name, value in given:
            for above in meant(names, value, scope):
                yield _Inside(above, Router(target.module, qualname(target, function), name, "parameter"), "", True)
