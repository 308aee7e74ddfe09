"""What the new package stands on: the old project's requirements that moved code imports, and the runtime."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping

from au_sys_python_factory.blueprint.capability import dependencies
from au_sys_python_factory.blueprint.naming import Names
from au_sys_python_factory.checks.dependencies.imports import given_by
from au_sys_python_factory.migration.model import Migration
from au_sys_python_factory.workspace.members import RUNTIME, Workspace
from au_sys_python_factory.workspace.requirements import canonical, requirement_name

_ALWAYS = {RUNTIME, "fastapi", "pydantic", "pydantic-settings", "starlette"}


def requirements(migration: Migration, names: Names, workspace: Workspace, texts: Mapping[str, str]) -> list[str]:
    """Requirement lines, sorted; where the runtime needs a distribution too, its bounds hold."""
    imported = {
        name
        for path, text in texts.items()
        if path.startswith("src/") and path.endswith(".py")
        for name in _imported(text)
    }
    wanted = {dist for name in imported for dist in given_by(name)} | _ALWAYS
    runtime = workspace.by_dist.get(RUNTIME)
    lines = {"starlette": "starlette>=1.0", **{requirement_name(line): line for line in migration.dependencies}}
    lines.update({requirement_name(line): line for line in (runtime.dependencies if runtime else ())})
    lines.update({requirement_name(line): line for line in dependencies(workspace)})
    return sorted(line for name, line in lines.items() if name in wanted - {canonical(names.dist)})


def _imported(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {item.name.split(".")[0] for item in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names)
