"""What the house rules ask of typing, and older code does not say: written down as inherited, and counted."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from au_sys_python_factory.checks.honesty.comments import commented_out, unreasoned
from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.checks.rule import Area
from au_sys_python_factory.migration.codemods.edits import Edits
from au_sys_python_factory.workspace.members import Member

REASON = "typed so before it moved"


def source(text: str, module: str, area: Area = "source") -> SourceFile:
    """A text as the rules read it."""
    return SourceFile(Path(module), module, module, area, Member(Path(), Path(), {}), text, ast.parse(text))


def settled(text: str, module: str, area: Area = "source") -> tuple[str, int]:
    """The text without commented-out code, with abstract methods that need no raise, and with :data:`REASON` wherever
    ``Any``, a cast or an ignore gave none; and how often that was.
    """
    before = source(_declared(text), module, area)
    kept = _without_code(before)
    after, number = _reasoned(replace(before, text=kept, tree=ast.parse(kept)))
    return (after, number) if _same(kept, after) else (kept, 0)


def _declared(text: str) -> str:
    """Abstract methods end with their declaration: nobody can call what raises ``NotImplementedError`` there."""
    edits = Edits(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function) and any("abstract" in ast.unparse(item) for item in node.decorator_list):
            last = node.body[-1]
            if isinstance(last, ast.Raise) and last.exc and ast.unparse(last.exc).startswith("NotImplementedError"):
                if len(node.body) > 1:
                    edits.remove_statement(last)
                else:
                    edits.replace(last, "...")
    return edits.done()


def _without_code(file: SourceFile) -> str:
    gone = {hit.line for hit in commented_out(file)}
    lines = file.text.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, 1) if number not in gone)


def _reasoned(file: SourceFile) -> tuple[str, int]:
    hits = list(unreasoned(file))
    imported = [item.node.lineno for item in file.imports if item.target == "typing.Any"]
    lines = {hit.line for hit in hits if not (imported and hit.message.startswith("Any"))}
    if len(lines) < len({hit.line for hit in hits}):
        lines.add(imported[0])
    return _ended(file.text, lines), len(hits)


def _ended(text: str, lines: Iterable[int]) -> str:
    found = text.splitlines(keepends=True)
    for number in lines:
        line = found[number - 1]
        bare = line.rstrip("\r\n")
        found[number - 1] = f"{bare}  # {REASON}{line[len(bare) :]}"
    return "".join(found)


def _same(one: str, other: str) -> bool:
    """Whether two texts are the same code: a comment at the end of a line may have fallen into a text."""
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False
