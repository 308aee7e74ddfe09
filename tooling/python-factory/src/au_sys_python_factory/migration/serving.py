"""Which paths a moved capability answers, read from its code."""

from __future__ import annotations

import re
from pathlib import Path

from au_sys_python_factory.inventory.taking import take
from au_sys_python_factory.migration.model import Application


def served_paths(package: Path, application: Application) -> list[str]:
    """Patterns of the paths of every route that the package declares and answers."""
    found = take(package / "src")
    declared = {route.path for route in found.routes if route.path not in application.leave}
    return sorted({_pattern(path) for path in (*declared, *application.also)})


def _pattern(path: str) -> str:
    parts = re.split(r"(\{[^}]+\}|<[^>]+>)", path)
    return "".join(".+" if part[:1] in ("{", "<") else re.escape(part) for part in parts)
