"""Findings that a workspace already had: only what comes on top fails, and what is mended stays mended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from au_sys_python_factory.checks.rule import Finding
from au_sys_python_factory.errors import Refused

_FORMAT = 1
Key = tuple[str, str, str]
"""Rule, path and message: lines move too often to tell findings apart."""


def stored(path: Path) -> Counter[Key] | None:
    """What a file holds; ``None`` when there is none yet.

    Raises:
        Refused: it is no baseline.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if read["format"] != _FORMAT:
            raise ValueError(f"format {read['format']}")
        return Counter({(item["rule"], item["path"], item["message"]): int(item["count"]) for item in read["findings"]})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"is no baseline ({error}).", where=str(path), fix="name another file, or delete it to store a new one."
        ) from None


def store(path: Path, findings: Iterable[Finding]) -> int:
    """Write the errors among the findings; how many. The same findings give the same bytes."""
    counted = Counter(_key(item) for item in findings if item.severity == "error")
    items = [
        {"rule": rule, "path": place, "message": message, "count": number}
        for (rule, place, message), number in sorted(counted.items())
    ]
    text = json.dumps({"format": _FORMAT, "findings": items}, indent=1, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"cannot be written: {error.strerror}.", where=str(path), fix="name another file.") from None
    return sum(counted.values())


def beyond(known: Counter[Key], findings: Iterable[Finding]) -> tuple[list[Finding], int]:
    """The findings that are not in the baseline, and how many of its own are mended."""
    left = known.copy()
    new: list[Finding] = []
    for item in findings:
        if item.severity != "error" or left[_key(item)] <= 0:
            new.append(item)
        else:
            left[_key(item)] -= 1
    return new, sum((+left).values())


def _key(item: Finding) -> Key:
    return item.rule, item.path, item.message
