"""Hand patches beside a plan (``patches/*.diff``): what no codemod can know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from au_sys_python_factory.errors import Refused

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def patched(files: Mapping[str, str], folder: Path) -> tuple[dict[str, str], int]:
    """The files after every patch, and how many lines the patches add or take away.

    Raises:
        Refused: a patch is for another text; the message has file and line.
    """
    found = dict(files)
    lines = 0
    for patch in sorted(folder.glob("*.diff")):
        for path, hunks in _by_file(patch.read_text(encoding="utf-8")):
            found[path] = _applied(found.get(path, ""), hunks, f"{patch.name}: {path}")
            lines += sum(line[:1] in "+-" for hunk in hunks for line in hunk[1])
    return found, lines


Hunk = tuple[int, list[str]]


def _by_file(text: str) -> Iterator[tuple[str, list[Hunk]]]:
    path, hunks = "", list[Hunk]()
    for line in text.splitlines():
        if line.startswith("--- ") and (not hunks or not _open(hunks)):
            if path:
                yield path, hunks
            path, hunks = "", []
        elif line.startswith("+++ ") and not path:
            path = line[4:].split("\t")[0].removeprefix("b/")
        elif match := _HUNK.match(line):
            hunks.append((int(match[1]), []))
        elif hunks and line[:1] in ("+", "-", " ", ""):
            hunks[-1][1].append(line or " ")
    if path:
        yield path, hunks


def _open(hunks: list[Hunk]) -> bool:
    return not hunks[-1][1]


def _applied(text: str, hunks: list[Hunk], what: str) -> str:
    lines = text.splitlines()
    shift = 0
    for start, body in hunks:
        old = [line[1:] for line in body if line[:1] in " -"]
        new = [line[1:] for line in body if line[:1] in " +"]
        wished = max(start - 1 + shift, 0)
        at = next((place for place in _near(wished, len(lines)) if lines[place : place + len(old)] == old), None)
        if at is None:
            raise Refused("the patch is for another text.", where=f"{what}:{start}", fix="make the patch again.")
        lines[at : at + len(old)] = new
        shift += len(new) - len(old)
    return "\n".join(lines) + "\n"


def _near(wished: int, length: int) -> Iterator[int]:
    """Places around the wished one, near ones first."""
    for away in range(length + 1):
        yield from (place for place in (wished - away, wished + away) if 0 <= place <= length)
