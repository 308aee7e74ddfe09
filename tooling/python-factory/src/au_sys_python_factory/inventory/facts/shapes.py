"""Classes: what comes in and goes out, what is stored, what is configured, what goes wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.facts.model import Fact
from au_sys_python_factory.inventory.names import Name, Names

_KINDS = {
    "pydantic.BaseModel": "request model", "pydantic.main.BaseModel": "request model",
    "pydantic.generics.GenericModel": "request model",
    "pydantic_settings.BaseSettings": "settings", "pydantic.BaseSettings": "settings",
    "sqlalchemy.orm.DeclarativeBase": "database model", "sqlmodel.SQLModel": "database model",
    "tortoise.models.Model": "database model", "peewee.Model": "database model",
    "fastapi.HTTPException": "exception", "starlette.exceptions.HTTPException": "exception",
    "typing.Protocol": "port", "abc.ABC": "port",
}  # fmt: skip
_BASES = {"sqlalchemy.orm.declarative_base", "sqlalchemy.ext.declarative.declarative_base"}
_EXCEPTIONS = {
    "Exception",
    "BaseException",
    "ValueError",
    "RuntimeError",
    "LookupError",
    "KeyError",
    "TypeError",
    "OSError",
}
_RELATING = {"ForeignKey": "foreign key to", "relationship": "related to", "ForeignKeyField": "foreign key to"}


def shapes(names: Names, file: SourceFile) -> Iterator[Fact]:
    """Models with their relations, settings, ports and exceptions."""
    for node in file.find(ast.ClassDef):
        kind = _kind(names, file, node)
        if kind is not None:
            yield Fact(kind, file.relative, node.lineno, node.name)
        if kind == "database model":
            yield from _relations(names, file, node)


def _kind(names: Names, file: SourceFile, node: ast.ClassDef) -> str | None:
    for name in names.ancestors(file, node):
        if name.dotted in _KINDS:
            return _KINDS[name.dotted]
        if not name.module and name.dotted in _EXCEPTIONS:
            return "exception"
        if name.module and _made_base(names, name):
            return "database model"
    return None


def _made_base(names: Names, name: Name) -> bool:
    value = names.value(name)
    return isinstance(value, ast.Call) and names.of(names.files[name.module], value.func).dotted in _BASES


def _relations(names: Names, file: SourceFile, node: ast.ClassDef) -> Iterator[Fact]:
    for call in (item for item in ast.walk(node) if isinstance(item, ast.Call)):
        word = _RELATING.get(names.of(file, call.func).dotted.split(".")[-1])
        if word is not None:
            target = ast.unparse(call.args[0]) if call.args else "what its annotation says"
            yield Fact("relation", file.relative, call.lineno, f"{node.name} {word} {target}", bool(call.args))
