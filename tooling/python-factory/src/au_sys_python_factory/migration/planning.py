"""``migrate plan``: what would become of each module, with the evidence; meant to be corrected by a person."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from au_sys_python_factory.checks.dependencies.imports import given_by
from au_sys_python_factory.errors import Refused
from au_sys_python_factory.inventory.taking import Inventory, take
from au_sys_python_factory.migration.model import Application, Migration, Setting
from au_sys_python_factory.migration.placing import inside, placed
from au_sys_python_factory.workspace.requirements import canonical, requirement_name
from au_sys_python_factory.workspace.tables import strings, table

_HALF_A_YEAR = timedelta(days=183)
_SERVERS = {"uvicorn", "gunicorn", "hypercorn"}
_OF_THE_PLATFORM = {"/", "/health", "/health/live", "/health/ready", "/metrics", "/docs", "/redoc", "/openapi.json"}
_FILES = "/static/{path:path}"
_READ = re.compile(r"(?:getenv|environ(?:\.get)?)[\[(]\s*['\"](?P<name>\w+)['\"](?:\s*,\s*(?P<default>[^)]+))?")


def plan_migration(where: Path, name: str, scope: str, today: date) -> Migration:
    """A plan for the application in a folder.

    Raises:
        Refused: there is nothing to read, or nothing makes an application.
    """
    found = take(where)
    taken = {route.path for route in found.routes if not route.file.startswith("tests/")} & _OF_THE_PLATFORM
    if any(fact.kind == "static files" and fact.path.endswith(".py") for fact in found.facts):
        taken.add(_FILES)
    application = replace(_application(where, found), leave=tuple(sorted(taken)))
    return Migration(
        name=name,
        source=where.resolve().name,
        scope=scope,
        errors="kept",
        until=(today + _HALF_A_YEAR).isoformat(),
        application=application,
        dependencies=(*_dependencies(where, found), *([_itself(where)] if scope else [])),
        settings=tuple(_settings(where, found, scope)),
        entries=placed(found, scope),
    )


def _application(where: Path, found: Inventory) -> Application:
    """The first object at the top of a module, else the first function, that is an application."""
    factories: list[Application] = []
    for module in found.modules:
        if module.tests or not any(item.why == "makes the application" for item in module.evidence):
            continue
        tree = ast.parse((where / module.path).read_bytes())
        for node in tree.body:
            if isinstance(node, ast.Assign) and _makes(node.value) and isinstance(node.targets[0], ast.Name):
                return Application(module.name, node.targets[0].id)
            if isinstance(node, ast.FunctionDef) and any(_makes(item) for item in ast.walk(node)):
                needed = len(node.args.args) - len(node.args.defaults)
                arguments = ", ".join(f"settings.{item.arg}" for item in node.args.args[:needed])
                factories.append(Application(module.name, f"{node.name}({arguments})"))
    if not factories:
        raise Refused("no application is made here.", where=str(where), fix="name the folder that holds FastAPI(…).")
    return factories[0]


def _makes(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "FastAPI"


def _dependencies(where: Path, found: Inventory) -> tuple[str, ...]:
    """What the old project declares, without the servers that the platform brings."""
    project = where / "pyproject.toml"
    if project.is_file():
        declared = tomllib.loads(project.read_text(encoding="utf-8-sig"))
        project_table = table(declared, "project")
        used = {dist for name in _imported(found) for dist in given_by(name)}
        extras = [line for part in table(project_table, "optional-dependencies").values() for line in strings(part)]
        extras = [line for line in extras if requirement_name(line) in used]
        own = canonical(str(project_table.get("name", "")))
        lines = [*extras, *strings(project_table.get("dependencies"))]
        lines = [line for line in lines if requirement_name(line) != own]
    else:
        named = where / "requirements.txt"
        text = named.read_text(encoding="utf-8") if named.is_file() else ""
        lines = [line.split("#")[0].strip() for line in text.splitlines()]
        lines = lines or sorted(dist for name in _imported(found) for dist in given_by(name))
    kept = {requirement_name(line): line for line in lines if line and not line.startswith("-")}
    return tuple(line for name, line in sorted(kept.items()) if canonical(name) not in _SERVERS)


def _itself(where: Path) -> str:
    """The old distribution, for what lies outside the scope and stays a dependency."""
    name, dash, version = where.resolve().name.rpartition("-")
    return f"{name}=={version}" if dash and version[:1].isdigit() else where.resolve().name


def _imported(found: Inventory) -> set[str]:
    """What the code imports from outside."""
    code = [item for module in found.modules if not module.tests for item in module.imports]
    outside = {item.target.split(".")[0] for item in code if item.kind == "third party" and "<" not in item.target}
    return {name for name in outside if name.isidentifier()}


def _settings(where: Path, found: Inventory, scope: str) -> list[Setting]:
    """A field for each variable of the environment that the code reads."""
    settings: dict[str, Setting] = {}
    for module in found.modules:
        if module.tests or not inside(module.name, scope):
            continue
        for match in _READ.finditer((where / module.path).read_text(encoding="utf-8", errors="replace")):
            name, default = match["name"], (match["default"] or "").strip()
            kept = default if default.startswith(("'", '"')) else '""'
            told = f"Was the environment variable {name}."
            settings.setdefault(name, Setting(name.lower(), "str", kept.replace("'", '"'), told, name))
    return [settings[name] for name in sorted(settings)]
