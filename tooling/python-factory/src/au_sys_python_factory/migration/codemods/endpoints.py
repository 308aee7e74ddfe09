"""Endpoints that say who may call them, and that do not hold the loop up."""

from __future__ import annotations

import ast
from collections.abc import Collection

from au_sys_python_factory.checks.reading.source import Function
from au_sys_python_factory.migration.codemods.edits import Edits


def declared(text: str, endpoints: Collection[str], *, codemods: Collection[str]) -> str:
    """The text with ``@access(public=True)`` below each endpoint's decorators, and with sync endpoints made ``async``:
    their unchanged bodies run in the platform's pool.
    """
    tree = ast.parse(text)
    edits = Edits(text)
    names: set[str] = set()
    for function, qualname in functions(tree):
        if qualname not in endpoints:
            continue
        indent = " " * function.col_offset
        if "access" in codemods and not _declares(function):
            edits.insert_line(function.lineno, f"{indent}@access(public=True)")
            names.add("access")
        if "async" in codemods and isinstance(function, ast.FunctionDef):
            _lift(edits, function, in_class="." in qualname and _in_class(tree, function))
            names.add("blocking")
    return with_import(edits.done(), names)


def _declares(function: Function) -> bool:
    return any("access" in ast.unparse(item) for item in function.decorator_list)


def functions(tree: ast.Module) -> list[tuple[Function, str]]:
    """Every function with its qualified name, as the inventory writes it."""
    found: list[tuple[Function, str]] = []

    def walk(node: ast.AST, around: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                found.append((child, ".".join([*around, child.name])))
            named = isinstance(child, Function | ast.ClassDef)
            walk(child, (*around, getattr(child, "name", "")) if named else around)

    walk(tree, ())
    return found


def _in_class(tree: ast.Module, function: Function) -> bool:
    return any(isinstance(node, ast.ClassDef) and function in node.body for node in ast.walk(tree))


def _lift(edits: Edits, function: ast.FunctionDef, *, in_class: bool) -> None:
    """``def f(a=Depends(x)): body`` as an ``async def f`` that awaits ``_f(a)``, which has the body."""
    indent = " " * function.col_offset
    inner = f"_{function.name.lstrip('_')}_blocking"
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    own = [item.arg for item in given if not (in_class and item is given[0])]
    called = f"self.{inner}" if in_class else inner
    plain = [f"{item.arg}: {ast.unparse(item.annotation)}" if item.annotation else item.arg for item in given]
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    space = "\n" if function.col_offset else "\n\n"
    first = function.body[0]
    call = f"{indent}    return await blocking({', '.join([called, *own])})\n{space}{indent}def {inner}"
    edits.between((function.lineno, function.col_offset), (function.lineno, function.col_offset), "async ")
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(function.body) > 1
    line = (first.end_lineno or first.lineno) + 1 if documented else first.lineno
    edits.insert_line(line, f"{call}({', '.join(plain)}){returns}:")


def with_import(text: str, names: Collection[str], module: str = "fastapi_services_platform") -> str:
    """The text with an import of ``names``; it is sorted into its place afterwards."""
    if not names:
        return text
    tree = ast.parse(text)
    line = 1
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (is_docstring or is_future):
            break
        line = (node.end_lineno or node.lineno) + 1
    edits = Edits(text)
    edits.insert_line(line, f"from {module} import {', '.join(sorted(names))}")
    return edits.done()
