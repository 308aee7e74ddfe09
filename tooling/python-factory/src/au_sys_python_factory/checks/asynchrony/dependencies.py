"""What FastAPI runs before an endpoint."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.asynchrony.blocking import blocking_calls
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import Function, SourceFile, ways_to
from au_sys_python_factory.checks.rule import Hit, Rule

_DEPENDS = {"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends"}
_WAYS = ways_to(_DEPENDS)


def dependencies(member: MemberFiles) -> Iterator[tuple[SourceFile, Function]]:
    """Functions of the package that are given to ``Depends``."""
    for file in member.source:
        for call in file.find(ast.Call) if file.may_use(_WAYS) else ():
            if file.qualified(call.func) in _DEPENDS and call.args:
                module, _, name = file.qualified(call.args[0]).rpartition(".")
                home = member.by_module.get(module or file.module)
                body = home.tree.body if home is not None and name in home.defined else []
                for node in body:
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                        yield file if home is None else home, node


def sync_dependency(member: MemberFiles) -> Iterator[Hit]:
    """Plain functions that FastAPI runs in a thread for every request, and that wait there."""
    for file, function in dependencies(member):
        if isinstance(function, ast.AsyncFunctionDef):
            continue
        for call, name in blocking_calls(file):
            if file.function_of(call) is function:
                yield Hit(
                    function.lineno,
                    function.col_offset + 1,
                    f"{function.name} is not async and calls {name}",
                    file.path,
                )
                break


Y02 = Rule(
    "Y02",
    "A sync dependency that waits",
    "It takes a thread of a hidden pool of forty for every request, and the forty-first waits for one.",
    "write `async def` and await an async client, or `await blocking(function, …)`.",
    "from pathlib import Path\nfrom typing import Annotated\n\nfrom fastapi import Depends\n\n\n"
    'def planted(path: Path) -> str:\n    """The first line."""\n    return path.read_text(encoding="utf-8")\n\n\n'
    "First = Annotated[str, Depends(planted)]\n",
    "from typing import Annotated\n\nfrom fastapi import Depends\n\n\n"
    'def planted(name: str) -> str:\n    """In small letters."""\n    return name.lower()\n\n\n'
    "Small = Annotated[str, Depends(planted)]\n",
    member_check=sync_dependency,
)

RULES = (Y02,)
