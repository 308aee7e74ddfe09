"""Router modules have real annotations: postponed ones would hide dependencies from FastAPI."""

import ast
from pathlib import Path

import skriptoteket

ADAPTERS = Path(skriptoteket.__file__).parent / "adapters"


def postponed(folder: Path) -> list[str]:
    """Modules below ``api`` and ``web`` whose annotations are strings."""
    modules = [path for part in ("api", "web") for path in sorted((folder / part).rglob("*.py"))]
    return [path.name for path in modules if _postpones(path.read_text(encoding="utf-8"))]


def _postpones(text: str) -> bool:
    found = (node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom) and node.module == "__future__")
    return any(name.name == "annotations" for node in found for name in node.names)


def test_no_router_module_postpones_its_annotations() -> None:
    """None of those that ship, in any spelling."""
    assert len(list((ADAPTERS / "api").rglob("*.py"))) > 20
    assert postponed(ADAPTERS) == []


def test_a_planted_one_fails(tmp_path: Path) -> None:
    """Found below both folders, wherever it stands among other imports; a mention in a text is none."""
    for part, name, text in (
        ("api", "planted.py", '"""Planted."""\n\nfrom __future__ import (\n    annotations,\n)\n'),
        ("web/governing", "too.py", '"""Planted."""\n\nfrom __future__ import annotations, generator_stop\n'),
        ("web", "mention.py", '"""No ``from __future__ import annotations`` here."""\n'),
        ("db", "elsewhere.py", "from __future__ import annotations\n"),
    ):
        (tmp_path / part).mkdir(parents=True, exist_ok=True)
        (tmp_path / part / name).write_text(text, encoding="utf-8")
    assert postponed(tmp_path) == ["planted.py", "too.py"]
