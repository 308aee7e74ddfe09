"""Where the parts of a module would go, and what in it says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.facts.model import Fact
from au_sys_python_factory.inventory.imports import Import

_OUTSIDE = {
    "httpx": "http", "requests": "http", "aiohttp": "http", "ldap3": "ldap", "ldap": "ldap", "smtplib": "mail",
    "aiosmtplib": "mail", "redis": "redis", "boto3": "objects", "botocore": "objects", "pymongo": "db",
    "sqlalchemy": "db", "alembic": "db", "sqlite3": "db", "asyncpg": "db", "psycopg2": "db", "sqlmodel": "db",
    "jinja2": "web", "click": "cli", "typer": "cli", "argparse": "cli",
}  # fmt: skip
_BY_FACT = {
    "database model": "adapters/db", "settings": "manifest/config.py", "environment": "manifest/config.py",
    "hook": "manifest/plugin.py", "request model": "adapters/api", "exception": "core/errors.py",
    "port": "core/ports.py", "template": "adapters/web", "static files": "adapters/web",
}  # fmt: skip


@dataclass(frozen=True, order=True, slots=True)
class Evidence:
    """A line that speaks for a place in the new package."""

    place: str
    line: int
    why: str


def evidence(file: SourceFile, facts: tuple[Fact, ...], found: tuple[Import, ...], routes: int) -> tuple[Evidence, ...]:
    """Everything that speaks for a place; a module of several places mixes layers."""
    if file.area == "tests":
        return (Evidence("tests", 1, "it holds tests"),)
    speaking = set(_by_code(file, routes))
    for item in found:
        place = _OUTSIDE.get(item.target.split(".")[0])
        if place is not None and not item.typing_only:
            speaking.add(Evidence(f"adapters/{place}", item.line, f"imports {item.target}"))
    for fact in facts:
        if fact.kind in _BY_FACT:
            speaking.add(Evidence(_BY_FACT[fact.kind], fact.line, f"{fact.kind} {fact.what}"))
    has_code = bool(file.functions) or bool(file.find(ast.ClassDef))
    if has_code and not speaking:
        speaking.add(Evidence("core", 1, "neither a framework nor anything outside is used"))
    return tuple(sorted(speaking))


def _by_code(file: SourceFile, routes: int) -> Iterator[Evidence]:
    if routes:
        yield Evidence("adapters/api", 1, f"{routes} routes")
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        if name in ("fastapi.FastAPI", "starlette.applications.Starlette"):
            yield Evidence("manifest/plugin.py", call.lineno, "makes the application")
        elif name in ("fastapi.APIRouter", "fastapi.Depends"):
            yield Evidence("adapters/api", call.lineno, name)
