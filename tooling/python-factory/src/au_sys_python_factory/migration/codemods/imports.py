"""Modules under their new names: in imports, in texts that name them, and where an attribute is reached through one."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from au_sys_python_factory.migration.codemods.edits import Edits

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_][\w.]*)?")


class Spelling:
    """New names of old modules, and of what moves apart from its module; what stays where it is is not in it."""

    def __init__(self, targets: Mapping[str, str], leads_to: Callable[[str], tuple[str, str]]) -> None:
        self._targets = dict(targets)
        self._leads_to = leads_to

    def inside(self, dotted: str) -> tuple[str, str] | None:
        """The new module and the name in it that something imported leads to, through doors that stay behind."""
        module, inner = self._leads_to(dotted)
        apart = self._targets.get(f"{module}.{inner.partition('.')[0]}") if inner else None
        new = apart.rpartition(".")[0] if apart else self._targets.get(module)
        return (new, inner) if new is not None else None

    def of(self, dotted: str) -> str | None:
        """The new name of a module, or of something inside one; ``None`` for a stranger."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            new = self._targets.get(".".join(parts[:cut]))
            if new is not None:
                return ".".join([new, *parts[cut:]])
        return None


def rewritten(text: str, module: str, is_package: bool, spelling: Spelling) -> str:
    """The text with every import of a moved module under its new name.

    ``from package import module`` becomes an import from where the module now lies, and a relative import an absolute
    one. ``import package.module`` gets an alias, and its uses say the alias.
    """
    tree = ast.parse(text)
    edits = Edits(text)
    through: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            _from(edits, node, module, is_package, spelling)
        elif isinstance(node, ast.Import):
            _plain(edits, node, spelling, through)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            _text(edits, node, spelling)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in through:
            edits.replace(node, through[ast.unparse(node)])
    return edits.done()


def _from(edits: Edits, node: ast.ImportFrom, module: str, is_package: bool, spelling: Spelling) -> None:
    source = absolute(node, module, is_package)
    lines: list[str] = []
    rest: list[str] = []
    for item in node.names:
        known = f" as {item.asname}" if item.asname else ""
        found = spelling.inside(f"{source}.{item.name}")
        if found is not None:
            package, _, last = found[0].rpartition(".") if not found[1] else (found[0], "", found[1])
            bound = item.asname or item.name
            lines.append(f"from {package} import {last}{f' as {bound}' if bound != last else ''}")
        else:
            rest.append(f"{item.name}{known}")
    new = spelling.of(source)
    if rest and (new is not None or node.level or lines):
        lines.insert(0, f"from {new or source} import {', '.join(rest)}")
    if lines:
        edits.replace(node, f"\n{' ' * node.col_offset}".join(lines))


def absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """The module that an import names, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _plain(edits: Edits, node: ast.Import, spelling: Spelling, through: dict[str, str]) -> None:
    lines: list[str] = []
    changed = False
    for item in node.names:
        new = spelling.of(item.name)
        if new is None:
            lines.append(f"import {item.name}{f' as {item.asname}' if item.asname else ''}")
            continue
        changed = True
        package, _, last = new.rpartition(".")
        alias = item.asname or last
        if item.asname is None:
            through[item.name] = alias
        lines.append(f"from {package} import {last}{f' as {alias}' if alias != last else ''}")
    if changed:
        edits.replace(node, f"\n{' ' * node.col_offset}".join(lines))


def _text(edits: Edits, node: ast.Constant, spelling: Spelling) -> None:
    value = str(node.value)
    if not _DOTTED.fullmatch(value) or "." not in value or node.end_lineno != node.lineno:
        return
    dotted, colon, attribute = value.partition(":")
    new = spelling.of(dotted)
    if new is not None and new != dotted:
        edits.replace(node, f'"{new}{colon}{attribute}"')
