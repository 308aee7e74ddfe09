"""What every moved module needs: without what stays behind, with a first line that says what it is."""

from __future__ import annotations

import ast
from collections.abc import Collection

from au_sys_python_factory.migration.codemods.edits import Edits


def kept(text: str, drop: Collection[str], module: str) -> str:
    """The text without the top-level names of ``drop`` and without a ``__main__`` block, with a docstring."""
    tree = ast.parse(text)
    edits = Edits(text)
    for node in tree.body:
        named = getattr(node, "name", "")
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named = node.targets[0].id
        if named in drop or (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)):
            edits.remove_statement(node)
    if ast.get_docstring(tree) is None and tree.body:
        first = tree.body[0]
        line = min([first.lineno, *(item.lineno for item in getattr(first, "decorator_list", ()))])
        edits.insert_line(line, f'"""Moved from ``{module}``."""\n')
    return edits.done()
