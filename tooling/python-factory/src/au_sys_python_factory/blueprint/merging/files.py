"""One file of a package between two template versions: what becomes of it."""

import ast
from dataclasses import dataclass
from typing import Literal

import tomlkit
from tomlkit.exceptions import TOMLKitError

from au_sys_python_factory.blueprint.merging import imports, lines, tables
from au_sys_python_factory.plan.model import digest

Kind = Literal[
    "same", "untouched", "new content", "merged", "conflict", "created", "adopted", "stays deleted", "deleted", "kept"
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to a file; ``text`` is ``None`` where it is not there afterwards (conflicts: with marks)."""

    path: str
    kind: Kind
    text: str | None
    why: str = ""


def decide(path: str, disk: str | None, recorded: str | None, old: str | None, new: str | None) -> Outcome:
    """The outcome for a file, its ``recorded`` digest (``None``: not in the state), and what the versions render."""
    if recorded is None or old is None:
        return _newly_present(path, disk, new)
    as_rendered = disk is not None and digest(disk.encode()) == recorded
    if disk is None:
        kind: Kind = "stays deleted" if new is not None and new != old else "same"
        return Outcome(path, kind, None, "you deleted it; the template changed it" if kind == "stays deleted" else "")
    if new is None:
        return Outcome(path, "deleted", None) if as_rendered else Outcome(path, "kept", disk, "the template dropped it")
    if disk == new:
        return Outcome(path, "same", disk)
    if as_rendered:
        return Outcome(path, "new content", new)
    if new == old:
        return Outcome(path, "untouched", disk)
    return merged(path, old, disk, new)


def _newly_present(path: str, disk: str | None, new: str | None) -> Outcome:
    if new is None:
        return Outcome(path, "same", disk)
    if disk is None:
        return Outcome(path, "created", new)
    if disk == new:
        return Outcome(path, "adopted", disk)
    text = lines.merge("", disk, new).text
    return Outcome(path, "conflict", text, "the file is there already, and the template now has one of that name")


def merged(path: str, base: str, ours: str, theirs: str) -> Outcome:
    """Both sides' edits in one text, by what the file is; a result that does not parse is a conflict."""
    if path.endswith(".toml"):
        found = tables.merge(base, ours, theirs)
        if found is not None and not found[1]:
            return Outcome(path, "merged", found[0])
    result = lines.merge(base, ours, theirs)
    if path.endswith(".py") and result.conflicts:
        result = _around_imports(base, ours, theirs) or result
    if result.conflicts:
        count = len(result.conflicts)
        why = f"{count} region{'s' if count > 1 else ''} changed on both sides"
        return Outcome(path, "conflict", result.text, why)
    if not _parses(path, result.text):
        return Outcome(path, "conflict", _whole(ours, theirs), "what both sides want does not parse together")
    return Outcome(path, "merged", result.text)


def _around_imports(base: str, ours: str, theirs: str) -> lines.Merge | None:
    parts = [imports.cut(text) for text in (base, ours, theirs)]
    if parts[0] is None or parts[1] is None or parts[2] is None:
        return None
    old, left, right = parts[0], parts[1], parts[2]
    head = lines.merge(old.head, left.head, right.head)
    tail = lines.merge(old.tail, left.tail, right.tail)
    block = imports.joined(old, left, right)
    return lines.Merge((*head.regions, (block,), *tail.regions))


def _whole(ours: str, theirs: str) -> str:
    return lines.Merge((lines.Conflict((), tuple(ours.splitlines(True)), tuple(theirs.splitlines(True))),)).text


def _parses(path: str, text: str) -> bool:
    try:
        if path.endswith(".py"):
            ast.parse(text)
        elif path.endswith(".toml"):
            tomlkit.parse(text)
    except (SyntaxError, ValueError, TOMLKitError):
        return False
    return True
