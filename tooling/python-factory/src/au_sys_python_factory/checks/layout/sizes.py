"""How long files and functions may be."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import Function, SourceFile, decorators
from au_sys_python_factory.checks.rule import Hit, Rule

_FILE_LINES = 500
_FILE_WARNING = 300
_PLUGIN_LINES = 100
_CONFTEST_LINES = 60
_FUNCTION_LINES = 60
_PARAMETERS = 7
_ALL_PARAMETERS = 12
_COMPLEXITY = 10


def long_file(file: SourceFile) -> Iterator[Hit]:
    """Files that hold more than one subject."""
    count = len(file.lines)
    if count > _FILE_LINES:
        yield Hit(_FILE_LINES + 1, 1, f"{count} lines (at most {_FILE_LINES})", file.path)
    elif count > _FILE_WARNING and file.area == "source":
        yield Hit(_FILE_WARNING + 1, 1, f"{count} lines (aim at {_FILE_WARNING})", file.path, "warning")


def long_plugin(file: SourceFile) -> Iterator[Hit]:
    """A plugin.py that does more than offer."""
    if file.inner[-2:] == ("manifest", "plugin.py") and len(file.lines) >= _PLUGIN_LINES:
        yield Hit(_PLUGIN_LINES, 1, f"{len(file.lines)} lines (fewer than {_PLUGIN_LINES})", file.path)


def long_conftest(file: SourceFile) -> Iterator[Hit]:
    """A conftest.py that grew into a library."""
    if file.path.name == "conftest.py" and len(file.lines) > _CONFTEST_LINES:
        yield Hit(_CONFTEST_LINES + 1, 1, f"{len(file.lines)} lines (at most {_CONFTEST_LINES})", file.path)


def large_function(file: SourceFile) -> Iterator[Hit]:
    """Functions that cannot be seen whole."""
    for function in file.functions:
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > _FUNCTION_LINES and "versions" not in file.inner:
            yield file.hit(function, f"{function.name}: {lines} lines (at most {_FUNCTION_LINES})")
        count, by_place = _parameters(function)
        if (by_place > _PARAMETERS or count > _ALL_PARAMETERS) and not _called_by_a_framework(file, function):
            text = f"{by_place} parameters by place (at most {_PARAMETERS}), {count} in all (at most {_ALL_PARAMETERS})"
            yield file.hit(function, f"{function.name}: {text}")
        found = complexity(function)
        if found > _COMPLEXITY:
            yield file.hit(function, f"{function.name}: cyclomatic complexity {found} (at most {_COMPLEXITY})")


def _parameters(function: Function) -> tuple[int, int]:
    """How many there are, and how many of them may be given by place; those that only go by name explain themselves."""
    arguments = function.args
    by_place = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
    count = len(by_place) - (by_place[:1] in (["self"], ["cls"]))
    return count + len(arguments.kwonlyargs), count


def _called_by_a_framework(file: SourceFile, function: Function) -> bool:
    """Endpoints and commands: nobody writes their arguments in one line, each stands for one input of a caller."""
    names = {name.split(".")[-1] for name in decorators(file, function)}
    return bool(names & {"access", "command", "option", "argument"})


def complexity(function: Function) -> int:
    """Cyclomatic complexity, counted as ruff's C901 does: one, and one more for each way to take."""
    return 1 + _ways(function.body)


def _ways(body: list[ast.stmt]) -> int:
    return sum(_ways_of(statement) for statement in body)


def _ways_of(node: ast.stmt) -> int:
    if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While):
        return 1 + _ways(node.body) + _ways(node.orelse)
    if isinstance(node, ast.Try | ast.TryStar):
        handlers = sum(1 + _ways(handler.body) for handler in node.handlers)
        return handlers + bool(node.orelse) + _ways(node.body) + _ways(node.orelse) + _ways(node.finalbody)
    if isinstance(node, ast.With | ast.AsyncWith):
        return _ways(node.body)
    if isinstance(node, ast.Match):
        last = node.cases[-1]
        sure = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        return sum(1 + _ways(case.body) for case in node.cases) - sure
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return 1 + _ways(node.body)
    return 0


L03 = Rule(
    "L03",
    "A file is too long",
    "Past 500 lines a file holds several subjects; past 300 it usually begins to.",
    "split it by subject; keep what changes together in one file.",
    "a file of 501 lines\n",
    "two files of 250\n",
    areas=("source", "tests", "other"),
    file_check=long_file,
)
L04 = Rule(
    "L04",
    "plugin.py is too long",
    "It says what is offered, as data; wiring and work belong to container.py and the adapters.",
    "move factories into manifest/container.py and tables of data beside the code that they describe.",
    "a plugin.py of 100 lines\n",
    "a plugin.py of 80 lines\n",
    file_check=long_plugin,
)
L05 = Rule(
    "L05",
    "conftest.py is too long",
    "A large conftest is a hidden library that every test depends on.",
    "move fixtures next to the tests that use them, and fakes into adapters/memory.",
    "a conftest.py of 61 lines\n",
    "a conftest.py of 60 lines\n",
    areas=("tests",),
    file_check=long_conftest,
)
L12 = Rule(
    "L12",
    "A function is too large",
    "What does not fit a screen or needs more than seven inputs has more than one job.",
    "extract the parts that have a name of their own; group parameters into a value.",
    "def planted(a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int) -> int:\n"
    '    """Add."""\n    return a + b + c + d + e + f + g + h\n',
    'def planted(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n',
    file_check=large_function,
)

RULES = (L03, L04, L05, L12)
