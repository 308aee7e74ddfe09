"""Folders of templates and files that were found from the working directory are found from the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path, PurePosixPath

from au_sys_python_factory.migration.codemods.edits import Edits
from au_sys_python_factory.migration.codemods.endpoints import with_import

_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+){1,8}/?")


def beside(text: str, where: Path) -> tuple[str, dict[str, Path]]:
    """The text with such folders beside the module, and where each folder's files are now."""
    tree = ast.parse(text)
    edits = Edits(text)
    found: dict[str, Path] = {}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and _PATH.fullmatch(node.value)):
            continue
        folder = where / node.value
        inside = not PurePosixPath(node.value).is_absolute() and ".." not in node.value
        if inside and folder.is_dir():
            name = PurePosixPath(node.value).name
            found[name] = folder
            edits.replace(node, f'str(Path(__file__).parent / "{name}")')
    if not found:
        return text, {}
    return with_import(edits.done(), {"Path"}, "pathlib"), found
