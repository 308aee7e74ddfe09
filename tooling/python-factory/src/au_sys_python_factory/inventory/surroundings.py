"""What lies beside the code: templates, static files, migrations, settings files, packaging."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.facts.model import Fact
from au_sys_python_factory.inventory.sources import Sources

_BY_CALL = {"Jinja2Templates": "template", "StaticFiles": "static files"}
_NAMED = {
    "alembic.ini": "migration", "pyproject.toml": "packaging", "setup.cfg": "packaging", "setup.py": "packaging",
    "requirements.txt": "packaging", "Dockerfile": "container", "docker-compose.yml": "container",
    "compose.yaml": "container", ".env": "settings file",
}  # fmt: skip
_SUFFIXES = {
    ".jinja": "template", ".j2": "template", ".html": "template", ".css": "static files", ".js": "static files",
}  # fmt: skip


def surroundings(sources: Sources) -> Iterator[Fact]:
    """Facts about files and folders."""
    for path in sources.others:
        name = PurePosixPath(path)
        kind = _NAMED.get(name.name) or _SUFFIXES.get(name.suffix)
        if kind is not None:
            yield Fact(kind, path, 1, name.name, certain=kind != "template" or "templates" in name.parts)
    for file in sources.files:
        yield from _of_module(file)


def _of_module(file: SourceFile) -> Iterator[Fact]:
    if "versions" in PurePosixPath(file.relative).parts and "revision" in file.text:
        yield Fact("migration", file.relative, 1, file.path.stem)
    if file.area == "tests":
        number = sum(function.name.startswith("test_") for function in file.functions)
        if number:
            yield Fact("tests", file.relative, 1, str(number))
    for call in file.find(ast.Call):
        kind = _BY_CALL.get(file.qualified(call.func).split(".")[-1])
        if kind is not None:
            folder = next((item.value for item in call.keywords if item.arg == "directory"), None)
            given = folder or (call.args[0] if call.args else None)
            yield Fact(kind, file.relative, call.lineno, ast.unparse(given) if given is not None else "…")
