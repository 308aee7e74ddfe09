"""Which functions of a package call which: what a coroutine, a route or a dependency reaches."""

import ast
from collections.abc import Iterable, Iterator

from au_sys_python_factory.checks.reading.source import Function, SourceFile

Key = tuple[str, str]
"""Module and name of a function at the top of a module."""

Functions = dict[Key, tuple[SourceFile, Function]]


def top_functions(files: Iterable[SourceFile]) -> Functions:
    """Every function at the top of a module."""
    return {
        (file.module, node.name): (file, node)
        for file in files
        for node in file.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def reached(starts: Iterable[tuple[SourceFile, Function]], functions: Functions) -> dict[Key, str]:
    """Functions that run when one of the starts runs, each with the name of the start that gets there first."""
    found: dict[Key, str] = {}
    waiting = [(file, function, function.name) for file, function in starts]
    while waiting:
        file, function, origin = waiting.pop()
        for key in called(file, function):
            if key in functions and key not in found:
                found[key] = origin
                waiting.append((*functions[key], origin))
    return found


def called(file: SourceFile, function: Function) -> Iterator[Key]:
    """What the body of a function calls by name; functions inside it are left out."""
    inside: list[ast.AST] = list(function.body)
    while inside:
        node = inside.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            module, _, name = file.qualified(node.func).rpartition(".")
            yield (module or file.module, name)
        inside.extend(ast.iter_child_nodes(node))
