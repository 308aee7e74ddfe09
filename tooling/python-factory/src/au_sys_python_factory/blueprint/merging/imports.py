"""The imports of a Python file, merged as sets: two people who add a line at the same place do not disagree."""

import ast
from dataclasses import dataclass

Name = tuple[str, str, str]
"""Module (with its leading dots), imported name (empty: the module itself), alias (empty: none)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A file cut around its block of imports."""

    head: str
    names: frozenset[Name]
    tail: str


def cut(text: str) -> Parts | None:
    """The parts; ``None`` without a plain block of imports at the top (comments inside it would lose their place)."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    first = 1 if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else 0
    block: list[ast.Import | ast.ImportFrom] = []
    for statement in body[first:]:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        block.append(statement)
    if not block:
        return None
    lines = text.split("\n")
    begin, end = block[0].lineno - 1, block[-1].end_lineno or block[-1].lineno
    between = lines[begin:end]
    if any("#" in line or ";" in line for line in between):
        return None
    names = frozenset(name for statement in block for name in _names(statement))
    return Parts("".join(line + "\n" for line in lines[:begin]), names, "\n".join(lines[end:]))


def joined(base: Parts, ours: Parts, theirs: Parts) -> str:
    """The block that both sides want, a name to a line; whoever formats the file sorts and gathers it."""
    wanted = (ours.names | theirs.names) - (base.names - ours.names) - (base.names - theirs.names)
    ordered = sorted(wanted, key=lambda name: (name[0] != "__future__", name))
    return "".join(_statement(name) + "\n" for name in ordered)


def _names(statement: ast.Import | ast.ImportFrom) -> list[Name]:
    if isinstance(statement, ast.Import):
        return [(item.name, "", item.asname or "") for item in statement.names]
    module = "." * statement.level + (statement.module or "")
    return [(module, item.name, item.asname or "") for item in statement.names]


def _statement(name: Name) -> str:
    module, imported, alias = name
    called = f" as {alias}" if alias else ""
    return f"from {module} import {imported}{called}" if imported else f"import {module}{called}"
