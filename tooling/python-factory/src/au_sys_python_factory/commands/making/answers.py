"""Answers from a file: the same as options, in TOML; everything that is wrong with it is said at once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from au_sys_python_factory.errors import UsageError

_KINDS: dict[str, type] = {"name": str, "noun": str, "summary": str, "wire": str, "fields": list}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a capability is to be; empty is what was not said."""

    name: str = ""
    noun: str = ""
    summary: str = ""
    wire: str = ""
    fields: tuple[str, ...] = ()

    def under(self, other: Answers) -> Answers:
        """These answers where ``other`` (the options) says nothing."""
        return Answers(
            other.name or self.name,
            other.noun or self.noun,
            other.summary or self.summary,
            other.wire or self.wire,
            other.fields or self.fields,
        )


def read_answers(path: Path, *, named: bool) -> Answers:
    """The answers of a file; ``named`` when the name was given otherwise.

    Raises:
        UsageError: it is no TOML, or keys are unknown, of another type, or missing: all of them, with their lines.
    """
    try:
        text = path.read_text("utf-8")
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"no TOML: {error}", where=str(path), fix="correct the file.") from None
    wrong = [f"line {_line(text, key)}: {_why(key, value)}" for key, value in found.items() if _why(key, value)]
    if not named and "name" not in found:
        wrong.append('missing: name = "customer-notes"')
    if wrong:
        raise UsageError(
            "\n  ".join(["the answers cannot be used:", *wrong]), where=str(path), fix=f"keys: {', '.join(_KINDS)}."
        )
    words = {key: str(value) for key, value in found.items() if key != "fields"}
    return Answers(**words, fields=tuple(found.get("fields", ())))


def _why(key: str, value: object) -> str:
    if key not in _KINDS:
        return f"{key} is no answer"
    if not isinstance(value, _KINDS[key]):
        return f"{key} is {'a list of texts' if key == 'fields' else 'a text'}"
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return 'fields are texts such as "title:str(1..200)"'
    return ""


def _line(text: str, key: str) -> int:
    wanted = re.compile(rf"\s*\[*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if wanted.match(line)), 1)
