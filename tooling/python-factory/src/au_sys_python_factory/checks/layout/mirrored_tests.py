"""Logic has its tests, where a reader looks for them."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.layout.sizes import complexity
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_NO_LOGIC = {"__init__", "errors", "models", "ports", "events"}


def untested(member: MemberFiles) -> Iterator[Hit]:
    """Logic modules of a core that no test reaches; a warning where tests reach them through other modules only."""
    if not member.member.tri_layer:
        return
    imported = {name for test in member.tests for item in test.imports for name in (item.module, item.target)}
    reached = _reached(member, imported)
    places = {file.inner[1:] for file in member.tests if file.inner[0] == "tests"}
    for file in member.source:
        if file.layer == "core" and file.module not in imported and not _mirrored(file, places) and _has_logic(file):
            expected = "/".join(("tests", *file.inner[:-1], f"test_{file.inner[-1]}"))
            if file.module in reached:
                yield Hit(1, 1, f"tested through other modules only: expected {expected}", file.path, "warning")
            else:
                yield Hit(1, 1, f"no test: expected {expected}", file.path)


def _reached(member: MemberFiles, imported: set[str]) -> set[str]:
    """Modules that tests import, and what these import in turn."""
    waiting = [name for name in imported if name in member.by_module]
    reached = set(waiting)
    while waiting:
        for item in member.by_module[waiting.pop()].imports:
            for name in (item.module, item.target):
                if name in member.by_module and name not in reached:
                    reached.add(name)
                    waiting.append(name)
    return reached


def _has_logic(file: SourceFile) -> bool:
    if file.path.stem in _NO_LOGIC:
        return False
    return any(
        complexity(function) > 1 and not isinstance(file.parent(function), ast.FunctionDef)
        for function in file.functions
    )


def _mirrored(file: SourceFile, places: set[tuple[str, ...]]) -> bool:
    *folders, name = file.inner
    return (*folders, f"test_{name}") in places or (*folders[:-1], f"test_{folders[-1]}.py") in places


L08 = Rule(
    "L08",
    "A logic module has no test",
    "Rules that nothing proves are changed by accident.",
    "write the test that mirrors its path; the docstring of each test states one behaviour.",
    '"""Planted."""\n\n\ndef larger(one: int, other: int) -> int:\n    """The larger '
    'one."""\n    if one > other:\n'
    "        return one\n    return other\n",
    '"""Planted."""\n\nLIMIT = 3\n',
    place="src/{package}/core/planted.py",
    member_check=untested,
)

RULES = (L08,)
