"""Folders of templates and files that were found from the working directory are found from the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path, PurePosixPath

from au_sys_python_factory.migration.codemods.edits import Edits
from au_sys_python_factory.migration.codemods.endpoints import with_import

_DATA = {".json", ".toml", ".yaml", ".yml", ".csv", ".txt", ".html", ".xml", ".jsonl", ".ini"}
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+){1,8}/?")


def companions(text: str, folder: Path, *, everything: bool = False) -> dict[str, Path]:
    """Files that the code finds from its own place (``Path(__file__).parent / "data.json"``), and where they are now;
    ``everything``: all that lie beside it, as tests have their data.
    """
    near = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in _DATA]
    found = {path.name: path for path in near if everything}
    for node in ast.walk(ast.parse(text)):
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and "__file__" in ast.unparse(node.left):
            parts = [node.right]
        elif isinstance(node, ast.Call) and "__file__" in ast.unparse(node.func):
            parts = list(node.args)
        for part in parts:
            name = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
            if name and ".." not in name and (folder / name).is_file():
                found[name] = folder / name
    return found


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
