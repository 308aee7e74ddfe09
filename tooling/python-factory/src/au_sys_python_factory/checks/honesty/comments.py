"""Commented-out code, and exceptions from typing or linting without a reason."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import Comment, SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_DIRECTIVE = re.compile(r"^\s*(type:|noqa|pragma|fmt:|ruff:|mypy:|factory:|isort:|!|-\*-)")
_IGNORE = re.compile(r"#\s*type:\s*ignore(\[[^\]]*\])?(?P<rest>.*)$")
_NOQA = re.compile(r"#\s*noqa(:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?(?P<rest>.*)$", re.IGNORECASE)
_LAYOUT = re.compile(r"noqa:\s*E501\s*$")
_CODE_SIGN = re.compile(r"[=(\[:]|^(?:from|import|return|raise|del)\b")
_REASON = re.compile(r"[A-Za-z]{3,}.*")


def commented_out(file: SourceFile) -> Iterator[Hit]:
    """Comments of their own line that are statements."""
    for comment in file.comments:
        text = comment.text.lstrip("#").strip()
        if comment.alone and _looks_like_code(text):
            yield Hit(comment.line, comment.column + 1, f"code in a comment: {text[:60]}", file.path)


def _looks_like_code(text: str) -> bool:
    if _DIRECTIVE.match(text) or not _CODE_SIGN.search(text):
        return False
    if text.endswith(":"):
        text += " pass"
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return len(body) == 1 and _is_code(body[0])


def _is_code(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        call = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        return isinstance(call, ast.Call) and not any(
            isinstance(item, ast.Constant) and item.value is Ellipsis for item in call.args
        )
    if isinstance(statement, ast.Return | ast.Raise):
        return getattr(statement, "value", None) is not None or getattr(statement, "exc", None) is not None
    kinds = (
        ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign, ast.FunctionDef, ast.AsyncFunctionDef,
        ast.ClassDef, ast.Delete, ast.If, ast.For, ast.While, ast.With,
    )  # fmt: skip
    return isinstance(statement, kinds)


def unreasoned(file: SourceFile) -> Iterator[Hit]:
    """Ignores, casts and ``Any`` that give no reason."""
    for comment in file.comments:
        for pattern, what in ((_IGNORE, "type: ignore"), (_NOQA, "noqa")):
            found = pattern.search(comment.text)
            if found and not _reasoned(file, comment, found["rest"]):
                yield Hit(comment.line, comment.column + 1, f"{what} without a reason", file.path)
    if file.area == "source" and "cast" in file.text:
        yield from _casts(file)
    if file.area == "source" and "Any" in file.text and not _explained_for_all(file):
        yield from _anys(file)


def _reasoned(file: SourceFile, comment: Comment, rest: str) -> bool:
    """Whether the comment goes on with words, or a comment of its own stands above; a long line needs no reason."""
    if _LAYOUT.search(comment.text) or _REASON.search(_NOQA.sub("", _IGNORE.sub("", rest)) or rest):
        return True
    above = file.comment_lines.get(comment.line - 1, "")
    return (
        bool(above)
        and file.lines[comment.line - 2].lstrip().startswith("#")
        and not _DIRECTIVE.match(above.lstrip("# "))
    )


def _casts(file: SourceFile) -> Iterator[Hit]:
    for node in file.find(ast.Call):
        if file.qualified(node.func) in ("typing.cast", "cast") and not _explained(file, node):
            yield file.hit(node, "cast without a reason")


def _anys(file: SourceFile) -> Iterator[Hit]:
    seen: set[int] = set()
    for node in file.find(ast.Name):
        if file.qualified(node) != "typing.Any" or node.lineno in seen:
            continue
        seen.add(node.lineno)
        if not _free_arguments(file, node) and not _type_of_any(file, node) and not _explained(file, node, "Any"):
            yield file.hit(node, "Any without a reason")


def _explained_for_all(file: SourceFile) -> bool:
    """Whether the line that imports ``Any`` gives a reason, which then holds for the whole module."""
    return any(item.target == "typing.Any" and item.node.lineno in file.comment_lines for item in file.imports)


def _free_arguments(file: SourceFile, node: ast.Name) -> bool:
    argument = file.parent(node)
    owner = file.parent(argument) if isinstance(argument, ast.arg) else None
    return isinstance(owner, ast.arguments) and argument in (owner.vararg, owner.kwarg)


def _type_of_any(file: SourceFile, node: ast.Name) -> bool:
    above = file.parent(node)
    return isinstance(above, ast.Subscript) and file.qualified(above.value) in (
        "type",
        "Coroutine",
        "collections.abc.Coroutine",
    )


def _explained(file: SourceFile, node: ast.expr, word: str = "") -> bool:
    """A comment on the statement (for functions: the signature) or just above it, or a docstring with the word."""
    statement: ast.AST = node
    for above in file.parents(node):
        statement = above
        if isinstance(above, ast.stmt):
            break
    first = getattr(statement, "lineno", 1)
    last = getattr(statement, "end_lineno", first)
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        last = max(first, body[0].lineno - 1)
    if any(line in file.comment_lines for line in range(first - 1, last + 1)):
        return True
    return bool(word) and any(word in text for text in _docstrings_near(file, statement))


def _docstrings_near(file: SourceFile, statement: ast.AST) -> Iterator[str]:
    for above in (statement, *file.parents(statement)):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield ast.get_docstring(above) or ""
    holder = file.parent(statement)
    body = getattr(holder, "body", [])
    if isinstance(body, list) and statement in body:
        after = body[body.index(statement) + 1 : body.index(statement) + 2]
        for item in after:
            if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant):
                yield str(item.value.value)


Z11 = Rule(
    "Z11",
    "Commented-out code",
    "Nobody dares to delete it and nobody knows whether it would still work; git remembers.",
    "delete it; if it explains something, say it in words.",
    "LIMIT = 3\n# limit = ask(operator)\n",
    "# Three, because the directory refuses a fourth bind: see its manual.\nLIMIT = 3\n",
    areas=("source", "tests", "other"),
    file_check=commented_out,
)
Z12 = Rule(
    "Z12",
    "Any, cast, type: ignore or noqa without a reason",
    "An exception that gives no reason is copied by the next one.",
    "write the reason as a comment on the line: `# Any: the driver's rows are untyped`.",
    'from typing import Any\n\n\ndef planted(row: Any) -> str:\n    """As text."""\n    return str(row)\n',
    "from typing import Any\n\n\ndef planted(row: Any) -> str:  # Any: rows of the "
    "driver are untyped\n"
    '    """As text."""\n    return str(row)\n',
    areas=("source", "tests"),
    file_check=unreasoned,
)

RULES = (Z11, Z12)
