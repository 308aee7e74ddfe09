"""Find and read the script bank: inside an installed wheel, or beside ``src`` in the source tree."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import skriptoteket
from skriptoteket.core.catalog.curation import ToolTexts
from skriptoteket.core.versions.bank.models import BankTool

_TEXTS = ("title", "title_sv", "summary", "summary_sv")
_BEHAVIOUR = ("entrypoint", "environment", "idempotent", "input_schema", "settings_schema", "requirements", "limits")


def shipped_folder(name: str) -> Path:
    """``script_bank`` or ``runner``, wherever this installation keeps it.

    Raises:
        FileNotFoundError: neither the wheel nor the source tree has it.
    """
    package = Path(skriptoteket.__file__).parent
    for folder in (package / name, package.parents[1] / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the folder {name} is missing beside {package}; install the wheel again")


def read_bank(only: Sequence[str] = ()) -> list[BankTool]:
    """Every tool of the bank, by slug; ``only`` restricts it.

    Raises:
        ValueError: a tool.toml is wrong; the text names file and key.
    """
    tools = [read_tool(path.parent) for path in sorted(shipped_folder("script_bank").glob("*/tool.toml"))]
    return [tool for tool in tools if not only or tool.slug in only]


def read_tool(folder: Path) -> BankTool:
    """The tool in a folder.

    Raises:
        ValueError: its tool.toml is wrong; the text names file and key.
    """
    path = folder / "tool.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        behaviour = {name: found[name] for name in _BEHAVIOUR if name in found}
        behaviour["source_code"] = (folder / "script.py").read_text(encoding="utf-8")
        behaviour["usage_instructions"] = _instructions(found)
        texts = ToolTexts(
            slug=found["slug"],
            **{name: found[name] for name in _TEXTS},
            professions=tuple(found["professions"]),
            categories=tuple(found["categories"]),
        )
        return BankTool(found["slug"], texts, behaviour, found.get("change_summary", ""))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, OSError) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error


def _instructions(found: Mapping[str, object]) -> str:
    text = found.get("usage_instructions", "")
    return str(text).strip() + "\n" if text else ""
