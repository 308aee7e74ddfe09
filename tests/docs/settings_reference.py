"""Write docs/settings.md from the settings classes: `python -m tests.docs.settings_reference`."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from fastapi_services_platform import PlatformSettings

TARGET = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
HEAD = """# Settings

Written by `uv run just docs` from the settings classes; a test fails when it is out of date. Every capability reads
its own prefix, once, at the start; a broken value stops the start and names the variable, the rule and the fix.
"""


def settings_classes() -> list[tuple[str, type[BaseSettings]]]:
    """The platform's own settings, then those of each installed capability, by name."""
    found: list[tuple[str, type[BaseSettings]]] = [("platform", PlatformSettings)]
    for point in sorted(entry_points(group="au_sys_plugins"), key=lambda point: point.name):
        settings = point.load().manifest.settings
        if settings is not None:
            found.append((point.name, settings))
    return found


def reference() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, settings in settings_classes():
        prefix = settings.model_config.get("env_prefix", "")
        rows = [_row(prefix, field, info) for field, info in settings.model_fields.items()]
        parts.append(
            f"\n## {name}\n\n| variable | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    return "".join(parts)


def _row(prefix: str, field: str, info: Any) -> str:  # Any: pydantic's FieldInfo, whose annotation is any type
    variable = str(info.validation_alias or f"{prefix}{field}".upper())
    kind = getattr(info.annotation, "__name__", str(info.annotation)) if info.annotation else ""
    kind = str(info.annotation).replace("typing.", "").replace("pathlib.", "") if "[" in str(info.annotation) else kind
    default = "required" if info.default is PydanticUndefined and info.default_factory is None else info.default
    if info.default_factory is not None:
        default = "made at the start"
    if "Secret" in kind and default not in (None, "required", "made at the start"):
        default = "(secret)"
    meaning = " ".join((info.description or "").split())
    cells = (f"`{variable}`", kind, f"`{default}`" if default not in (None, "") else "–", meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    TARGET.write_text(reference())
    print(f"wrote {TARGET}")
