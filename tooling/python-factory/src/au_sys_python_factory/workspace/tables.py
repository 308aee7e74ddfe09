"""TOML read as typed values, with file and line where it is damaged."""

import tomllib
from pathlib import Path

from au_sys_python_factory.errors import Refused

Table = dict[str, object]


def read_table(path: Path) -> Table:
    """A TOML file, parsed.

    Raises:
        Refused: it is not TOML or not UTF-8; the message names file and line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"not valid TOML: {error}", where=str(path), fix="correct the line that is named.") from None
    except UnicodeDecodeError as error:
        raise Refused(f"not UTF-8 at byte {error.start}.", where=str(path), fix="save it as UTF-8.") from None


def table(parent: Table, key: str) -> Table:
    """A table inside a table; empty where it is missing or something else."""
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def strings(value: object) -> list[str]:
    """The texts of a list; empty where it is missing or something else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
