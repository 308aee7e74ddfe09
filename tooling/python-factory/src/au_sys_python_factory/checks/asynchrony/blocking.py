"""Blocking calls in coroutines, and in plain functions that coroutines of the same package call."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.asynchrony.calls import Key, reached
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import SourceFile, ways_to
from au_sys_python_factory.checks.rule import Hit, Rule

BLOCKING = {
    "open", "io.open", "time.sleep", "os.system", "os.popen", "os.wait", "os.waitpid", "input",
    "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen",
    "socket.create_connection", "socket.getaddrinfo", "socket.gethostbyname", "urllib.request.urlopen",
    "requests.get", "requests.post", "requests.put", "requests.patch", "requests.delete", "requests.request",
    "requests.Session", "httpx.get", "httpx.post", "httpx.put", "httpx.patch", "httpx.delete", "httpx.request",
    "httpx.Client", "sqlite3.connect", "psycopg.connect", "psycopg2.connect", "pymysql.connect",
    "sqlalchemy.create_engine", "redis.Redis", "smtplib.SMTP", "smtplib.SMTP_SSL", "imaplib.IMAP4",
    "ftplib.FTP", "ldap3.Connection", "ldap.initialize", "boto3.client", "shutil.copy", "shutil.copy2",
    "shutil.copyfile", "shutil.copytree", "shutil.move", "shutil.rmtree", "shutil.make_archive",
    "zipfile.ZipFile", "tarfile.open",
}  # fmt: skip
"""Qualified names; a call of one of them holds its thread until something outside answers."""

_FOR_TESTS = {"testing", "conformance"}
_PATH_METHODS = {"read_text", "read_bytes", "write_text", "write_bytes"}
_WAYS = ways_to(BLOCKING)
_WORDS = re.compile(r"\b(?:open|input)\(|\.(?:read|write)_(?:text|bytes)\b")
"""What needs no import."""


def blocking(member: MemberFiles) -> Iterator[Hit]:
    """Blocking calls that the event loop would wait for."""
    if member.member.role == "tool":
        return
    found = [(file, call, name) for file in member.source for call, name in blocking_calls(file)]
    if not found:
        return
    on_loop = _reached_from_coroutines(member.source)
    for file, call, name in found:
        function = file.function_of(call)
        if isinstance(function, ast.AsyncFunctionDef):
            yield Hit(call.lineno, call.col_offset + 1, f"{name}(…) blocks in {function.name}", file.path)
        elif isinstance(function, ast.FunctionDef) and (file.module, function.name) in on_loop:
            caller = on_loop[file.module, function.name]
            message = f"{name}(…) in {function.name} blocks {caller}, which calls it"
            yield Hit(call.lineno, call.col_offset + 1, message, file.path)


def blocking_calls(file: SourceFile) -> Iterator[tuple[ast.Call, str]]:
    """Calls that hold their thread, with their names."""
    for call in file.find(ast.Call) if file.may_use(_WAYS) or file.mentions(_WORDS) else ():
        name = file.qualified(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        awaited = isinstance(file.parent(call), ast.Await)
        if (name in BLOCKING or (method in _PATH_METHODS and not awaited)) and not _asks_the_kernel(call):
            yield call, name or f"….{method}"


def _asks_the_kernel(call: ast.Call) -> bool:
    """Files below /proc and /sys are answered by the kernel at once; no disk is asked."""
    texts = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return any(text.startswith(("/proc/", "/sys/")) for text in texts)


def _reached_from_coroutines(files: tuple[SourceFile, ...]) -> dict[Key, str]:
    """Plain module-level functions that run on the loop, each with the coroutine that gets there first."""
    starts = [
        (file.module, one.name)
        for file in files
        if not _FOR_TESTS & set(file.inner)
        for one in file.facts.runs
        if one.colour.startswith("async")
    ]
    return reached(files, starts, colours=("plain",))


Y03 = Rule(
    "Y03",
    "A blocking call on the event loop",
    "One slow disk or directory stops every request of the process.",
    "await an async client of the runtime's pool, or hand the call over: `await blocking(function, …)`.",
    'import time\n\n\nasync def planted() -> None:\n    """Wait."""\n    time.sleep(1)\n',
    "import asyncio\nimport time\n\n\nasync def planted() -> None:\n    "
    '"""Wait."""\n    await asyncio.to_thread(time.sleep, 1)\n',
    same_as=("ASYNC210", "ASYNC220", "ASYNC221", "ASYNC222", "ASYNC230", "ASYNC240", "ASYNC251"),
    member_check=blocking,
)

RULES = (Y03,)
