"""What every moved module needs: without what stays behind, with a first line that says what it is."""

from __future__ import annotations

import ast
from collections.abc import Collection

from au_sys_python_factory.inventory.names import assignments
from au_sys_python_factory.migration.codemods.edits import Edits


def kept(text: str, drop: Collection[str], module: str) -> str:
    """The text without the top-level names of ``drop`` and without a ``__main__`` block, with a docstring."""
    tree = ast.parse(text)
    edits = Edits(text)
    for node in tree.body:
        named = names_of(node)
        if named & set(drop) or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)):
            edits.remove_statement(node)
    if ast.get_docstring(tree) is None and tree.body:
        first = tree.body[0]
        line = min([first.lineno, *(item.lineno for item in getattr(first, "decorator_list", ()))])
        edits.insert_line(line, f'"""Moved from ``{module}``."""\n')
    return edits.done()


def apart(text: str, only: Collection[str], elsewhere: Collection[str], module: str) -> str:
    """One part of a module that is taken to pieces: the names of ``only``, or what is left without ``elsewhere``.

    What a part needs of the other parts it imports from the module by its old name; the imports' rewriting knows where
    each of them is now.
    """
    tree = ast.parse(text)
    edits = Edits(text)
    defined = {name for node in tree.body for name in names_of(node)}
    mine = set(only) if only else defined - set(elsewhere)
    used: set[str] = set()
    for node in tree.body:
        named = names_of(node)
        if named & mine or not (named or (only and not isinstance(node, ast.Import | ast.ImportFrom | ast.If))):
            used |= {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
            used |= {item.value for item in ast.walk(node) if isinstance(item, ast.Constant) and item.value in defined}
        else:
            edits.remove_statement(node)
    wanted = sorted((used & defined) - mine)
    if not wanted:
        return edits.done()
    last = [node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    edits.insert_line(max(last, default=0) + 1, f"from {module} import {', '.join(wanted)}")
    return edits.done()


def names_of(node: ast.stmt) -> set[str]:
    """What a top-level statement binds, other than by an import."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    return {target.id for target, _ in assignments([node]) if isinstance(target, ast.Name)}
