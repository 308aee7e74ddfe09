"""Work that was put off: markers, stubs, promises in docstrings."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import Function, SourceFile, body_of, decorators
from au_sys_python_factory.checks.rule import Hit, Rule

_MARKER = re.compile(
    r"(?<![\w-])(TODO|FIXME|XXX|HACK)(?![\w-])"
    r"|\b(?i:for now|workaround|not implemented yet|not yet implemented|in a real (?:system|implementation|application)"
    r"|temporary (?:fix|hack|solution|implementation|code|measure)|temporarily (?:disabled|removed|skipped|commented)"
    r"|quick and dirty|stopgap)\b"
)
_DEFERRED = re.compile(
    r"(?i)\b(will be (?:implemented|added|done|extended|supported|replaced)|to be implemented\b"
    r"|(?:implemented|added|comes|coming) (?:later|soon)|in a (?:future|later) version|left as an exercise"
    r"|should be replaced (?:by|with))"
)
_NO_BODY = ("overload", "abstractmethod", "abstractproperty", "group", "callback", "hookspec", "fixture")
_NOTHING = re.compile(r"(?i)^(nothing\b|do(es)? nothing|no-op\b|accept)")


def marker(file: SourceFile) -> Iterator[Hit]:
    """Markers in comments and docstrings."""
    for comment in file.comments:
        found = _MARKER.search(comment.text)
        if found:
            yield Hit(comment.line, comment.column + found.start() + 1, f"“{found[0]}” in a comment", file.path)
    for _, docstring in file.docstrings:
        text = str(docstring.value)
        found = _MARKER.search(text)
        if found:
            line = docstring.lineno + text[: found.start()].count("\n")
            yield Hit(line, docstring.col_offset + 1, f"“{found[0]}” in a docstring", file.path)


def stub(file: SourceFile) -> Iterator[Hit]:
    """Functions without a body."""
    for function in file.functions:
        rest = body_of(function)
        if all(_empty(statement) for statement in rest) and not _may_be_empty(file, function):
            yield file.hit(function, f"{function.name} has no body")


def _empty(statement: ast.stmt) -> bool:
    ellipsis = (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is Ellipsis
    )
    return isinstance(statement, ast.Pass) or ellipsis


def _may_be_empty(file: SourceFile, function: Function) -> bool:
    if any(name.split(".")[-1] in _NO_BODY for name in decorators(file, function)):
        return True
    if _NOTHING.match(ast.get_docstring(function) or ""):
        return True
    owner = file.parent(function)
    return isinstance(owner, ast.ClassDef) and any(
        file.qualified(kind.value if isinstance(kind, ast.Subscript) else kind).endswith("Protocol")
        for kind in owner.bases
    )


def not_implemented(file: SourceFile) -> Iterator[Hit]:
    """Code that raises instead of working."""
    for node in file.find(ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if file.qualified(raised) == "NotImplementedError":
            yield file.hit(node, "NotImplementedError is raised")


def deferring(file: SourceFile) -> Iterator[Hit]:
    """Docstrings that promise work."""
    for _, docstring in file.docstrings:
        text = str(docstring.value)
        found = _DEFERRED.search(text)
        if found:
            line = docstring.lineno + text[: found.start()].count("\n")
            yield Hit(line, docstring.col_offset + 1, f"“{found[0]}”", file.path)


Z01 = Rule(
    "Z01",
    "A marker of unfinished work",
    "What is marked is never looked at again; what is shipped must be whole.",
    "finish it, or write an issue and take the marker out.",
    "LIMIT = 3  # TODO: ask the operator\n",
    'NAME = "TODO"  # the name of a list that people keep\n',
    areas=("source", "tests", "other"),
    file_check=marker,
)
Z02 = Rule(
    "Z02",
    "A stub",
    "A function that does nothing answers wrongly to everyone who calls it.",
    "write the body, or delete the function; a deliberate no-op says so: a docstring that begins with “Nothing to …”.",
    'def close() -> None:\n    """Close the connection."""\n',
    'def close() -> None:\n    """Nothing to close: the connection is not ours."""\n',
    file_check=stub,
)
Z03 = Rule(
    "Z03",
    "NotImplementedError",
    "It turns a missing feature into a server error in somebody's hands.",
    "implement it, or make the wish a Protocol method that every adapter has.",
    'def area() -> float:\n    """Square metres."""\n    raise NotImplementedError\n',
    'def area() -> float:\n    """Square metres."""\n    raise ArithmeticError\n',
    file_check=not_implemented,
)
Z08 = Rule(
    "Z08",
    "A docstring that defers work",
    "It documents what is not there.",
    "say what the code does today.",
    'def area() -> float:\n    """Square metres; rounding will be added."""\n    return 2.5\n',
    'def area() -> float:\n    """Square metres, not rounded."""\n    return 2.5\n',
    file_check=deferring,
)

RULES = (Z01, Z02, Z03, Z08)
