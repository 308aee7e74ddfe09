"""Errors that vanish and tests that do not run."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_BROAD = {"", "Exception", "BaseException", "builtins.Exception", "builtins.BaseException"}


def swallowed(file: SourceFile) -> Iterator[Hit]:
    """Handlers and suppressions that lose an error."""
    for handler in file.find(ast.ExceptHandler):
        broad = bool(_names(file, handler.type) & _BROAD)
        if broad and all(_silent(statement) for statement in handler.body) and not _said_why(file, handler):
            yield file.hit(handler, "every error vanishes here")
        elif not broad and all(_nothing(statement) for statement in handler.body) and not _said_why(file, handler):
            yield file.hit(handler, "the error vanishes here without a word why")
    for call in file.find(ast.Call):
        suppresses = file.qualified(call.func) in ("contextlib.suppress", "suppress")
        broad = any(file.qualified(argument) in _BROAD - {""} for argument in call.args)
        said = {call.lineno - 1, call.lineno} & file.comment_lines.keys()
        if suppresses and broad and not said:
            yield file.hit(call, "every error vanishes here")


def _names(file: SourceFile, node: ast.expr | None) -> set[str]:
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    return {file.qualified(kind) if kind is not None else "" for kind in kinds if kind is None or file.qualified(kind)}


def _nothing(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or constant


def _silent(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    return _nothing(statement) or isinstance(statement, ast.Continue | ast.Break)


def _said_why(file: SourceFile, handler: ast.ExceptHandler) -> bool:
    last = handler.end_lineno or handler.lineno
    return any(line in file.comment_lines for line in range(handler.lineno, last + 1))


def unrun(file: SourceFile) -> Iterator[Hit]:
    """Tests that are skipped or expected to fail without condition and reason."""
    for function in (*file.functions, *file.find(ast.ClassDef)):
        for decorator in function.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            name = file.qualified(call.func if call else decorator)
            keywords = {item.arg for item in call.keywords} if call else set()
            if name == "pytest.mark.skip":
                yield file.hit(decorator, f"{function.name} is always skipped")
            elif name in ("pytest.mark.skipif", "pytest.mark.xfail") and (
                not call or not call.args or "reason" not in keywords
            ):
                yield file.hit(decorator, f"{function.name}: {name.split('.')[-1]} without condition and reason")
    for call in file.find(ast.Call):
        if file.qualified(call.func) in ("pytest.skip", "pytest.xfail") and not (call.args or call.keywords):
            yield file.hit(call, f"{ast.unparse(call.func)} without a reason")


Z09 = Rule(
    "Z09",
    "A test that does not run",
    "A skipped test looks like a passed one in every report.",
    "repair or delete it; a need of the surroundings is a condition with a reason.",
    'import pytest\n\n\n@pytest.mark.skip\ndef test_planted() -> None:\n    """Never '
    'asked."""\n    assert str(1) == "1"\n',
    'import sys\n\nimport pytest\n\n\n@pytest.mark.skipif(sys.platform == "win32", '
    'reason="no fork there")\n'
    'def test_planted() -> None:\n    """Asked where it can be."""\n    assert '
    'str(1) == "1"\n',
    place="tests/test_planted.py",
    areas=("tests",),
    file_check=unrun,
)
Z10 = Rule(
    "Z10",
    "A swallowed exception",
    "The next person searches for days for what was known here.",
    "catch the narrow error and handle it, log it, or say in a comment why nothing is the right answer.",
    'def planted(text: str) -> int | None:\n    """A number, if it is one."""\n    '
    "try:\n        return int(text)\n"
    "    except Exception:\n        return None\n",
    'def planted(text: str) -> int | None:\n    """A number, if it is one."""\n    '
    "try:\n        return int(text)\n"
    "    except ValueError:\n        return None\n",
    areas=("source", "tests", "other"),
    same_as=("S110", "S112", "BLE001"),
    file_check=swallowed,
)

RULES = (Z09, Z10)
