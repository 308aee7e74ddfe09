"""Coroutines that nobody awaits, and attempts that never end."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_WAITS = ("sleep", "wait", "wait_for", "delay", "pause", "backoff")


def never_awaited(member: MemberFiles) -> Iterator[Hit]:
    """Statements that make a coroutine of the package and drop it."""
    runs = [(file.module, one) for file in member.files for one in file.facts.runs if one.colour == "async"]
    top = {f"{module}.{one.name}" for module, one in runs if one.place == "top"}
    for file in member.files:
        own = {f"self.{one.name}" for one in file.facts.runs if one.colour == "async"}
        for statement in () if (own | top).isdisjoint(file.facts.dropped) else file.find(ast.Expr):
            call = statement.value
            if isinstance(call, ast.Call) and _is_coroutine(file, call, top):
                message = f"{ast.unparse(call.func)}(…) is not awaited: nothing happens"
                yield Hit(call.lineno, call.col_offset + 1, message, file.path)


def _is_coroutine(file: SourceFile, call: ast.Call, top: set[str]) -> bool:
    module, _, name = file.qualified(call.func).rpartition(".")
    if module == "self":
        owner = file.class_of(call)
        own = [item for item in owner.body if getattr(item, "name", "") == name] if owner else []
        return any(isinstance(item, ast.AsyncFunctionDef) and not item.decorator_list for item in own)
    if not module and file.function_of(call) is not None and _shadowed(file, call, name):
        return False
    return f"{module or file.module}.{name}" in top


def _shadowed(file: SourceFile, call: ast.Call, name: str) -> bool:
    """Whether the name is something else in a function around the call."""
    for above in file.parents(call):
        if isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = {node.name for node in above.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            given = {node.arg for node in ast.walk(above.args) if isinstance(node, ast.arg)}
            if name in inner | given:
                return True
    return False


def endless_retry(file: SourceFile) -> Iterator[Hit]:
    """Loops without end that try the same again at once."""
    for loop in file.find(ast.While):
        if not (isinstance(loop.test, ast.Constant) and loop.test.value and len(loop.body) == 1):
            continue
        attempt = loop.body[0]
        if isinstance(attempt, ast.Try) and _ends_on_success(attempt):
            for handler in attempt.handlers:
                if not any(_slows(node) for statement in handler.body for node in ast.walk(statement)):
                    yield file.hit(handler, "the same is tried again at once, and without end")
    yield from _decorated(file)


def _ends_on_success(attempt: ast.Try) -> bool:
    last = [*attempt.body, *attempt.orelse][-1]
    works = any(isinstance(node, ast.Call) for statement in attempt.body for node in ast.walk(statement))
    return works and isinstance(last, ast.Return | ast.Break)


def _slows(node: ast.AST) -> bool:
    """Whether a handler leaves the loop, counts, or waits."""
    if isinstance(
        node, ast.Raise | ast.Return | ast.Break | ast.AugAssign | ast.Await | ast.If | ast.Assign | ast.Delete
    ):
        return True
    name = ast.unparse(node.func).rsplit(".", 1)[-1] if isinstance(node, ast.Call) else ""
    return name.startswith(_WAITS)


def _decorated(file: SourceFile) -> Iterator[Hit]:
    for function in file.functions:
        for decorator in function.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            if file.qualified(call.func if call else decorator) == "tenacity.retry":
                given = {item.arg for item in call.keywords} if call else set()
                if not {"stop", "wait"} <= given and None not in given:
                    yield file.hit(decorator, f"{function.name} is tried again without limit or without pause")


Y09 = Rule(
    "Y09",
    "A coroutine that nobody awaits",
    "The call only makes an object: the work is never done, and the warning comes later and elsewhere.",
    "put `await` before it, or hand it to a task group.",
    'async def told() -> None:\n    """Nothing is told to nobody."""\n\n\n'
    'async def planted() -> None:\n    """Tell."""\n    told()\n',
    'async def told() -> None:\n    """Nothing is told to nobody."""\n\n\n'
    'async def planted() -> None:\n    """Tell."""\n    await told()\n',
    areas=("source", "tests", "other"),
    member_check=never_awaited,
)
Y11 = Rule(
    "Y11",
    "A retry without limit or pause",
    "What is down is asked as fast as possible by everybody, and never gets up again.",
    "count the attempts and wait longer after each: fastapi_services_platform.resilience has both.",
    "from collections.abc import Callable\n\n\n"
    'def planted(ask: Callable[[], str]) -> str:\n    """Its answer."""\n    while True:\n        try:\n'
    "            return ask()\n        except ConnectionError:  # it will come back\n            continue\n",
    "from collections.abc import Callable\n\n\n"
    'def planted(ask: Callable[[], str]) -> str:\n    """Its answer, asked twice."""\n    try:\n        return ask()\n'
    "    except ConnectionError:  # it may be the first call on an old connection\n        return ask()\n",
    file_check=endless_retry,
)

RULES = (Y09, Y11)
