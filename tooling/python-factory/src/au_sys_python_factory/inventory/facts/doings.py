"""What code does besides computing: at import, on the event loop, to the environment, to a log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.architecture.import_time import WORKING, run_at_import
from au_sys_python_factory.checks.asynchrony.blocking import blocking_calls
from au_sys_python_factory.checks.logs import log_calls
from au_sys_python_factory.checks.reading.source import Function, SourceFile, decorators
from au_sys_python_factory.inventory.facts.model import Fact
from au_sys_python_factory.inventory.names import assignments

_CLIENTS = {
    "httpx.Client", "httpx.AsyncClient", "requests.Session", "aiohttp.ClientSession", "redis.Redis",
    "redis.asyncio.Redis", "boto3.client", "boto3.resource", "smtplib.SMTP", "ldap3.Connection", "pymongo.MongoClient",
    "sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlite3.connect", "psycopg2.connect",
    "requests.get", "requests.post", "requests.put", "requests.patch", "requests.delete", "requests.request",
    "httpx.get", "httpx.post", "httpx.put", "httpx.patch", "httpx.delete",
}  # fmt: skip
_LOGGERS = {"logging.getLogger", "structlog.get_logger", "loguru.logger"}
_COMPOSING = {
    "include_router",
    "add_middleware",
    "mount",
    "add_exception_handler",
    "add_api_route",
    "add_event_handler",
}
_HOOKS = {"on_event", "middleware", "exception_handler", "add_middleware", "add_exception_handler", "add_event_handler"}
_SECRET = re.compile(r"(?i)(secret|passw|token|api_?key|private_?key|credential)")
_KEY_TEXT = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}")


def doings(file: SourceFile) -> Iterator[Fact]:
    """Everything of this kind in a module."""
    yield from _environment(file)
    yield from _at_import(file)
    yield from _globals(file)
    yield from _on_the_loop(file)
    yield from _clients(file)
    yield from _logs(file)
    yield from _hooks(file)
    yield from _secrets(file)


def _environment(file: SourceFile) -> Iterator[Fact]:
    names: list[ast.Attribute | ast.Name] = [*file.find(ast.Attribute), *file.find(ast.Name)]
    for node in names:
        if file.qualified(node) in ("os.environ", "os.getenv"):
            key = _key(file, node)
            name = str(key.value) if isinstance(key, ast.Constant) else ""
            yield Fact("environment", file.relative, node.lineno, name or "os.environ", bool(name))


def _key(file: SourceFile, node: ast.expr) -> ast.expr | None:
    """``environ["KEY"]``, ``"KEY" in environ``, ``getenv("KEY")`` and ``environ.get("KEY")``."""
    around = file.parent(node)
    if isinstance(around, ast.Subscript | ast.Compare):
        return around.slice if isinstance(around, ast.Subscript) else around.left
    asking = file.parent(around) if isinstance(around, ast.Attribute) else around
    return asking.args[0] if isinstance(asking, ast.Call) and asking.args else None


def _at_import(file: SourceFile) -> Iterator[Fact]:
    for statement in run_at_import(file.tree.body):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = statement.value.func
            if not (isinstance(called, ast.Attribute) and called.attr in _COMPOSING):
                yield Fact("work at import", file.relative, statement.lineno, f"{ast.unparse(called)}(…)")
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for call in (item for item in ast.walk(statement.value) if isinstance(item, ast.Call)):
                name = file.qualified(call.func)
                if name in WORKING or name in _CLIENTS or name.split(".")[-1].endswith("Settings"):
                    yield Fact("work at import", file.relative, call.lineno, f"{ast.unparse(call.func)}(…)")


def _globals(file: SourceFile) -> Iterator[Fact]:
    """What functions change in their module: for certain by ``global``, likely where a container begins empty."""
    changed = {name for node in file.find(ast.Global) for name in node.names}
    for target, value in assignments(file.tree.body):
        if isinstance(target, ast.Name) and (target.id in changed or _begins_empty(file, value)):
            yield Fact("global state", file.relative, target.lineno, target.id, target.id in changed)


def _begins_empty(file: SourceFile, value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return not value.args and file.qualified(value.func) in ("dict", "list", "set", "collections.deque")
    return (isinstance(value, ast.List) and not value.elts) or (isinstance(value, ast.Dict) and not value.keys)


def _on_the_loop(file: SourceFile) -> Iterator[Fact]:
    for call, name in blocking_calls(file):
        function = file.function_of(call)
        if isinstance(function, ast.AsyncFunctionDef):
            yield Fact("blocking call", file.relative, call.lineno, f"{name}(…) in {function.name}")


def _clients(file: SourceFile) -> Iterator[Fact]:
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        function = file.function_of(call)
        if name in _CLIENTS and isinstance(function, Function) and not _lives_long(file, function):
            sure = isinstance(function, ast.AsyncFunctionDef) or bool(function.decorator_list)
            yield Fact("client per call", file.relative, call.lineno, f"{name}(…) in {function.name}", sure)


def _lives_long(file: SourceFile, function: Function) -> bool:
    """Whether it is a lifespan: what it makes lasts as long as the application."""
    return any(name.endswith("asynccontextmanager") for name in decorators(file, function))


def _logs(file: SourceFile) -> Iterator[Fact]:
    for call in file.find(ast.Call):
        if file.qualified(call.func) in _LOGGERS:
            yield Fact("logger", file.relative, call.lineno, ast.unparse(call))
        elif isinstance(call.func, ast.Name) and call.func.id == "print":
            yield Fact("print", file.relative, call.lineno, "print(…)")
        elif file.qualified(call.func).startswith("logging.") and call in log_calls(file):
            yield Fact("logger", file.relative, call.lineno, ast.unparse(call.func))


def _hooks(file: SourceFile) -> Iterator[Fact]:
    for call in file.find(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _HOOKS:
            shown = ", ".join(ast.unparse(item) for item in call.args)
            kind = "exception handler" if "exception" in call.func.attr else "hook"
            yield Fact(kind, file.relative, call.lineno, f"{call.func.attr}({shown})")


def _secrets(file: SourceFile) -> Iterator[Fact]:
    """Where a secret stands, never which."""
    nodes: list[ast.Assign | ast.AnnAssign] = [*file.find(ast.Assign), *file.find(ast.AnnAssign)]
    for node in nodes:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            name = ast.unparse(target)
            if _SECRET.search(name) and _is_text(node.value):
                yield Fact("secret", file.relative, node.lineno, f"{name} has its value in the code", certain=False)
    for keyword in file.find(ast.keyword):
        if keyword.arg and _SECRET.search(keyword.arg) and _is_text(keyword.value):
            yield Fact(
                "secret", file.relative, keyword.value.lineno, f"{keyword.arg}= has its value in the code", False
            )
    for text in file.find(ast.Constant):
        if isinstance(text.value, str) and _KEY_TEXT.search(text.value):
            yield Fact("secret", file.relative, text.lineno, "a key or access token")


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 3
