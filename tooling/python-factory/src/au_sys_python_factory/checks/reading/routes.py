"""Which functions of a file are routes: shared by the rules about endpoints."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from au_sys_python_factory.checks.reading.source import Function, SourceFile

_METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "api_route", "websocket", "route"}


class Route(NamedTuple):
    """An endpoint with the method and the path that its decorator names."""

    function: Function
    method: str
    path: str


def routes(file: SourceFile) -> Iterator[Route]:
    """Functions below a route decorator, and functions given to ``add_api_route``."""
    if file.member.role == "tool":
        return
    routers = _routers(file)
    for function in file.functions:
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and _is_route(file, decorator, routers):
                yield Route(function, ast.unparse(decorator.func).split(".")[-1], _path(decorator))
                break
    yield from _added(file)


def _added(file: SourceFile) -> Iterator[Route]:
    own = {function.name: function for function in file.functions}
    for call in file.find(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("add_api_route", "add_api_websocket_route"):
            given = (
                call.args[1]
                if len(call.args) > 1
                else next((k.value for k in call.keywords if k.arg == "endpoint"), None)
            )
            if isinstance(given, ast.Name) and given.id in own:
                yield Route(own[given.id], "api_route", _path(call))


def _routers(file: SourceFile) -> set[str]:
    found: set[str] = set()
    assigned: list[ast.Assign | ast.AnnAssign] = [*file.find(ast.Assign), *file.find(ast.AnnAssign)]
    for node in assigned:
        made = isinstance(node.value, ast.Call) and file.qualified(node.value.func).split(".")[-1] in (
            "APIRouter",
            "FastAPI",
        )
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if made:
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def _is_route(file: SourceFile, decorator: ast.Call, routers: set[str]) -> bool:
    target = decorator.func
    if not (isinstance(target, ast.Attribute) and target.attr in _METHODS and isinstance(target.value, ast.Name)):
        return False
    name = target.value.id
    return (
        name in routers or name.endswith(("router", "routes")) or (name == "app" and _path(decorator).startswith("/"))
    )


def _path(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return str(first.value) if isinstance(first, ast.Constant) else ""
