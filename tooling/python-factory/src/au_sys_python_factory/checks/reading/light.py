"""A file that an earlier run knows: its imports and hits are remembered, its text is read only when somebody asks."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any  # Any: rows of JSON, and attributes that are made on demand

from au_sys_python_factory.checks.reading.facts import Facts, from_row
from au_sys_python_factory.checks.reading.source import Imported, SourceFile
from au_sys_python_factory.checks.rule import Area
from au_sys_python_factory.workspace.members import Member

Row = dict[str, Any]


class LightFile(SourceFile):
    """``row`` is what :func:`row_of` made of the file when it was parsed."""

    def __init__(self, relative: str, row: Row, member: Member) -> None:
        area: Area = row["area"]
        self.__dict__.update(relative=relative, module=row["module"], area=area, member=member, row=row)

    def __getattr__(self, name: str) -> Any:
        """Path, text and tree, when they are asked for the first time."""
        made: object
        if name == "path":
            made = self.member.root / self.relative
        elif name == "text":
            made = self.path.read_text(encoding="utf-8-sig")
        elif name == "tree":
            made = ast.parse(self.text)
        else:
            raise AttributeError(name)
        self.__dict__[name] = made
        return made

    @cached_property
    def imports(self) -> list[Imported]:
        """As they were."""
        return [_imported(*one) for one in self.row["imports"]]

    @cached_property
    def defined(self) -> frozenset[str]:
        """As they were."""
        return frozenset(self.row["defined"])

    @cached_property
    def exported(self) -> list[str]:
        """As they were."""
        return list(self.row["exported"])

    @cached_property
    def facts(self) -> Facts:
        """As they were."""
        return from_row(self.row["facts"])

    @cached_property
    def waives(self) -> bool:
        """As it was."""
        return bool(self.row["waives"])

    @cached_property
    def configures(self) -> bool:
        """As it was."""
        return bool(self.row["configures"])


def _imported(module: str, name: str, alias: str, line: int, column: int, typing_only: int) -> Imported:
    return Imported(module, name, alias, ast.Pass(lineno=line, col_offset=column), bool(typing_only))  # type: ignore[arg-type]  # only its place is asked


def row_of(file: SourceFile, stamp: list[int], hits: list[list[object]]) -> Row:
    """What is kept of a parsed file: ``stamp`` tells whether it changed, ``hits`` what the rules about files found."""
    return {
        "stamp": stamp,
        "module": file.module,
        "area": file.area,
        "imports": [
            [one.module, one.name, one.alias, one.node.lineno, one.node.col_offset, int(one.typing_only)]
            for one in file.imports
        ],
        "defined": sorted(file.defined),
        "exported": file.exported,
        "facts": file.facts,
        "waives": file.waives,
        "configures": file.configures,
        "hits": hits,
    }
