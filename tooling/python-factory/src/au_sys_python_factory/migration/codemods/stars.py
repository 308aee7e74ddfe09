"""Star imports of the application's own modules say what they bring."""

from __future__ import annotations

import ast

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.names import Names
from au_sys_python_factory.migration.codemods.edits import Edits
from au_sys_python_factory.migration.codemods.imports import absolute


def expanded(text: str, file: SourceFile, names: Names) -> str:
    """The text with each ``from module import *`` as an import of the names that are used; without one, it goes."""
    edits = Edits(text)
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.ImportFrom) and [item.name for item in node.names] == ["*"]):
            continue
        source = absolute(node, file.module, file.is_package)
        if names.module(source) is None:
            continue
        foreign = {item.id for item in file.find(ast.Name)} - set(file.aliases)
        brought = sorted(name for name in foreign if _given(names, file, source, name))
        if brought:
            edits.replace(node, f"from {source} import {', '.join(brought)}")
        else:
            edits.remove_statement(node)
    return edits.done()


def _given(names: Names, file: SourceFile, source: str, name: str) -> bool:
    return not names.defines(file, name) and names.defined(names.canonical(f"{source}.{name}"))
