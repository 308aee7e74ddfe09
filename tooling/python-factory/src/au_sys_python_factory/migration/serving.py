"""Which paths a moved capability answers, read from its code."""

from __future__ import annotations

import re
from pathlib import Path

from au_sys_python_factory.inventory.taking import take


def served_paths(package: Path, leave: tuple[str, ...]) -> list[str]:
    """Patterns of the paths of every route that the package declares and answers."""
    found = take(package / "src")
    return sorted({_pattern(route.path) for route in found.routes if route.path not in leave})


def _pattern(path: str) -> str:
    parts = re.split(r"(\{[^}]+\}|<[^>]+>)", path)
    return "".join(".+" if part[:1] in ("{", "<") else re.escape(part) for part in parts)
