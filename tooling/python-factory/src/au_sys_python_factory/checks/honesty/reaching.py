"""Code that nothing reaches, and checks that an option of the interpreter takes away."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_FOR_TESTS = {"testing", "conformance"}
_PRIVATE = re.compile(r"^[ \t]*(?:async )?def (_[A-Za-z]\w*)\(", re.MULTILINE)
_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def asserting(file: SourceFile) -> Iterator[Hit]:
    """Assertions in product code."""
    if not _FOR_TESTS & set(file.inner):
        for node in file.find(ast.Assert):
            yield file.hit(node, "assert is gone under python -O")


def unreachable(file: SourceFile) -> Iterator[Hit]:
    """Statements behind one that always leaves their block."""
    for end in (node for kind in _ENDS for node in file.find(kind)):
        body = next((body for body in _bodies(file.parent(end)) if end in body), [end])
        after = body[body.index(end) + 1 :]
        if after and not _makes_a_generator(after):
            yield file.hit(after[0], f"nothing gets behind the {type(end).__name__.lower()} above")


def _bodies(holder: ast.AST | None) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(holder, name, None)
        if isinstance(body, list):
            yield body


def _makes_a_generator(after: list[ast.stmt]) -> bool:
    """Whether the statements are the well-known way to an empty generator: a yield that is never reached."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for statement in after for node in ast.walk(statement))


def unreferenced(member: MemberFiles) -> Iterator[Hit]:
    """Private functions and methods whose name stands nowhere else in the package."""
    spoken: set[str] | None = None
    for file in member.source:
        alone = {name for name in _PRIVATE.findall(file.text) if file.text.count(name) == 1}
        for function in file.functions if alone else ():
            owner = file.parent(function)
            inherits = isinstance(owner, ast.ClassDef) and bool(owner.bases)
            if function.name not in alone or function.decorator_list or inherits:
                continue
            if spoken is None:
                spoken = set().union(*(other.spoken for other in member.files))
            if function.name not in spoken:
                yield Hit(function.lineno, function.col_offset + 1, f"nobody calls {function.name}", file.path)


Z14 = Rule(
    "Z14",
    "assert as a check",
    "`python -O` takes it away, and what it reports is no error of ours.",
    "raise an error of core/errors.py; a type checker is told by an `if` that raises.",
    'def planted(count: int) -> int:\n    """Half."""\n    assert count % 2 == 0\n    return count // 2\n',
    'def planted(count: int) -> int:\n    """Half."""\n    if count % 2:\n'
    '        raise ValueError(f"{count} is odd")\n    return count // 2\n',
    file_check=asserting,
)
Z15 = Rule(
    "Z15",
    "Code that nothing reaches",
    "It is read, kept up and believed, and it does nothing.",
    "delete it; git remembers.",
    'def _planted() -> int:\n    """Three."""\n    return 3\n',
    'def _planted() -> int:\n    """Three."""\n    return 3\n\n\nLIMIT = _planted\n',
    file_check=unreachable,
    member_check=unreferenced,
)

RULES = (Z14, Z15)
