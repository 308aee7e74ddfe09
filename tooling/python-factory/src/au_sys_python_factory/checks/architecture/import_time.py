"""What happens at import (nothing), and who reads the environment (the manifest)."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_COMPOSING = {
    "include_router",
    "add_api_route",
    "add_api_websocket_route",
    "add_command",
    "mount",
    "register",
    "register_at_fork",
    "update_forward_refs",
    "model_rebuild",
}
WORKING = {
    "open", "os.getenv", "os.system", "os.listdir", "socket.socket", "socket.create_connection",
    "sqlite3.connect", "subprocess.run", "subprocess.check_output", "subprocess.Popen",
    "urllib.request.urlopen", "requests.get", "requests.Session", "httpx.get", "httpx.Client",
    "httpx.AsyncClient", "sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine",
    "importlib.import_module", "time.time", "uuid.uuid4", "secrets.token_hex", "secrets.token_urlsafe",
}  # fmt: skip
"""Qualified names; a call of one of them does something."""

_READING = {"read_text", "read_bytes"}
_ENVIRONMENT = {"os.environ", "os.getenv", "os.environb"}
_ENTRY_POINTS = {"__main__", "asgi"}


def work_at_import(file: SourceFile) -> Iterator[Hit]:
    """Statements of a module that do something when it is imported."""
    if file.layer in _ENTRY_POINTS or "versions" in file.inner:
        return
    program = _is_program(file)
    for statement in run_at_import(file.tree.body):
        if program and "sys.path" in ast.unparse(statement):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            function = statement.value.func
            if not (isinstance(function, ast.Attribute) and function.attr in _COMPOSING):
                yield file.hit(statement, f"{ast.unparse(function)}(…) is called at import")
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            yield from _working_values(file, statement.value)


def _is_program(file: SourceFile) -> bool:
    """Whether the file is also run by its path; such a file may say where its imports are."""
    tests = [ast.unparse(node.test) for node in file.tree.body if isinstance(node, ast.If)]
    return any("__name__" in test for test in tests)


def run_at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that importing a module runs."""
    for statement in body:
        if isinstance(statement, ast.If):
            test = ast.unparse(statement.test)
            if "__name__" not in test and "TYPE_CHECKING" not in test:
                yield from run_at_import([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.With | ast.For | ast.While):
            yield from run_at_import(statement.body)
        elif isinstance(statement, ast.Try):
            yield from run_at_import([*statement.body, *statement.orelse, *statement.finalbody])
        elif isinstance(statement, ast.ClassDef):
            yield from run_at_import([item for item in statement.body if not isinstance(item, ast.FunctionDef)])
        else:
            yield statement


def _working_values(file: SourceFile, value: ast.expr) -> Iterator[Hit]:
    for node in ast.walk(value):
        if not isinstance(node, ast.Call) or _in_lambda(file, node):
            continue
        name = file.qualified(node.func)
        reads = isinstance(node.func, ast.Attribute) and node.func.attr in _READING
        settings = name.split(".")[-1].endswith("Settings") and file.class_of(node) is None
        if name in WORKING or reads or settings or name.startswith("os.environ"):
            yield file.hit(node, f"{ast.unparse(node.func)}(…) is called at import")


def _in_lambda(file: SourceFile, node: ast.AST) -> bool:
    return isinstance(file.function_of(node), ast.Lambda)


def environment(file: SourceFile) -> Iterator[Hit]:
    """Reads of the environment outside the place where settings are read."""
    if not (file.member.tri_layer or file.member.role == "runtime") or _may_read(file):
        return
    if "environ" not in file.text and "getenv" not in file.text:
        return
    names: list[ast.Attribute | ast.Name] = [*file.find(ast.Attribute), *file.find(ast.Name)]
    for node in names:
        if isinstance(node.ctx, ast.Load) and file.qualified(node) in _ENVIRONMENT and not _handed_on(file, node):
            yield file.hit(node, f"{ast.unparse(node)} is read here")


def _handed_on(file: SourceFile, node: ast.AST) -> bool:
    """Whether the whole environment goes to a child process: that is no reading of a setting."""
    return any(isinstance(above, ast.keyword) and above.arg == "env" for above in file.parents(node))


def _may_read(file: SourceFile) -> bool:
    if file.member.role == "runtime":
        return file.layer in ("config", "testing")
    return file.inner in (("manifest", "config.py"), ("manifest", "container.py"))


A13 = Rule(
    "A13",
    "Work at import",
    "Importing a module must be free: tests, tools and other capabilities do it without wanting its effects.",
    "move it into a function that the container, a lifespan or a command calls.",
    'import subprocess\n\nVERSION = subprocess.check_output(["uname"])\n',
    'import re\n\nWORD = re.compile("[a-z]+")\n',
    file_check=work_at_import,
)
A14 = Rule(
    "A14",
    "The environment is read outside the manifest",
    "What can be set must be in one settings class: documented, typed, checked at the start.",
    "add a field to manifest/config.py and pass the value down from manifest/container.py.",
    'import os\n\n\ndef region() -> str:\n    """Where this runs."""\n    return os.environ["REGION"]\n',
    'def region(environ: dict[str, str]) -> str:\n    """Where this runs."""\n    return environ["REGION"]\n',
    file_check=environment,
)

RULES = (A13, A14)
