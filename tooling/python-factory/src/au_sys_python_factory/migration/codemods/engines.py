"""Database engines that look whether a kept connection still lives before they use it."""

from __future__ import annotations

import ast

from au_sys_python_factory.migration.codemods.edits import Edits

_MAKING = {"create_engine", "create_async_engine"}
_POOLED = {"pool_pre_ping", "poolclass", None}


def pinging(text: str) -> str:
    """The text with ``pool_pre_ping=True`` for every engine that says nothing of its pool: nothing else changes, but
    after a restart of the database nobody's request fails."""
    edits = Edits(text)
    lines = text.encode().splitlines()
    for node in ast.walk(ast.parse(text)):
        made = isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in _MAKING
        if not (made and isinstance(node, ast.Call)) or _POOLED & {item.arg for item in node.keywords}:
            continue
        end = (node.end_lineno or node.lineno, (node.end_col_offset or 1) - 1)
        before = b"\n".join([*lines[node.lineno - 1 : end[0] - 1], lines[end[0] - 1][: end[1]]]).rstrip()
        edits.between(end, end, f"{' ' if before.endswith((b',', b'(')) else ', '}pool_pre_ping=True")
    return edits.done()
