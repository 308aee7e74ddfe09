"""Clients and engines: made once, pooled, and never waited for without an end."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.asynchrony.calls import Key, reached
from au_sys_python_factory.checks.asynchrony.dependencies import dependencies
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.routes import routes
from au_sys_python_factory.checks.reading.source import Function, SourceFile, decorators, ways_to
from au_sys_python_factory.checks.rule import Hit, Rule

_HTTP = {
    "httpx.AsyncClient", "httpx.Client", "httpx2.AsyncClient", "httpx2.Client", "aiohttp.ClientSession",
    "requests.Session", "urllib3.PoolManager",
}  # fmt: skip
_ENGINES = {"sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine", "sqlalchemy.engine.create_engine"}
_OTHERS = {
    "redis.Redis", "redis.asyncio.Redis", "redis.from_url", "redis.asyncio.from_url", "redis.asyncio.Redis.from_url",
    "boto3.client", "ldap3.Server", "motor.motor_asyncio.AsyncIOMotorClient", "asyncpg.create_pool",
    "fastapi_services_platform.open_database",
}  # fmt: skip
_MADE_ONCE = _HTTP | _ENGINES | _OTHERS
_WAYS = ways_to(_MADE_ONCE)
_ROUTERS = ways_to({"fastapi.APIRouter", "fastapi.FastAPI"})
_WAITING = {
    "requests.get": 9, "requests.post": 9, "requests.put": 9, "requests.patch": 9, "requests.delete": 9,
    "requests.head": 9, "requests.request": 9, "urllib.request.urlopen": 3, "socket.create_connection": 2,
    "smtplib.SMTP": 4, "smtplib.SMTP_SSL": 6, "ftplib.FTP": 5, "imaplib.IMAP4": 3, "imaplib.IMAP4_SSL": 4,
    "http.client.HTTPConnection": 3, "http.client.HTTPSConnection": 3, "telnetlib.Telnet": 3,
}  # fmt: skip
"""Calls that wait for ever unless told otherwise, with the number of arguments of which the last is the time."""

_BOUNDED = {"asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for", "anyio.fail_after", "anyio.move_on_after"}
_FOR_TESTS = {"testing", "conformance"}


def per_request(member: MemberFiles) -> Iterator[Hit]:
    """Clients and engines that a route or a dependency makes anew each time."""
    made = [
        (file, call)
        for file in member.source
        if file.may_use(_WAYS)
        for call in file.find(ast.Call)
        if file.qualified(call.func) in _MADE_ONCE and not _FOR_TESTS & set(file.inner)
    ]
    if not made:
        return
    routed = [file for file in member.source if file.may_use(_ROUTERS)]
    starts = [(file, route.function) for file in routed for route in routes(file)]
    starts += [(file, function) for file, function in dependencies(member)]
    asked: dict[Key, str] = {(file.module, function.name): function.name for file, function in starts}
    asked = reached(member.source, asked, colours=("plain", "async")) | asked
    for file, call in made:
        function = file.function_of(call)
        if isinstance(function, Function) and (file.module, function.name) in asked and not _once(file, function):
            name = ast.unparse(call.func)
            message = f"{name}(…) is made for every call of {asked[file.module, function.name]}"
            yield Hit(call.lineno, call.col_offset + 1, message, file.path)


def _once(file: SourceFile, function: Function) -> bool:
    """A function without parameters that keeps what it made."""
    kept = any(name.split(".")[-1] in ("cache", "lru_cache") for name in decorators(file, function))
    return kept and not ast.unparse(function.args)


def own_pool(file: SourceFile) -> Iterator[Hit]:
    """HTTP clients in a capability that have no breaker: the runtime's have keep-alive, retry and breaker."""
    if not file.member.tri_layer or _FOR_TESTS & set(file.inner):
        return
    guarded = any("CircuitBreaker" in item.name for item in file.imports)
    for call in file.find(ast.Call):
        if file.qualified(call.func) in _HTTP and not guarded and not _in_process(file, call):
            yield file.hit(call, f"{ast.unparse(call.func)}(…) is outside of the runtime's pool")


def _in_process(file: SourceFile, call: ast.Call) -> bool:
    """A client that calls an application in this process reaches nothing outside."""
    return any("ASGITransport" in ast.unparse(item.value) for item in call.keywords if item.arg == "transport")


def bare_engine(file: SourceFile) -> Iterator[Hit]:
    """Engines that say nothing about their pool."""
    for call in file.find(ast.Call):
        if file.qualified(call.func) in _ENGINES:
            given = {item.arg for item in call.keywords}
            if not given & {"pool_pre_ping", "poolclass", None}:
                yield file.hit(call, f"{ast.unparse(call.func)}(…) without pool_pre_ping or poolclass")


def endless(file: SourceFile) -> Iterator[Hit]:
    """Calls of something outside that wait for ever."""
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        given = {item.arg: item.value for item in call.keywords}
        told = "timeout" in given or None in given
        none = isinstance(given.get("timeout"), ast.Constant) and getattr(given["timeout"], "value", 0) is None
        forgotten = name in _WAITING and not told and len(call.args) < _WAITING[name]
        opened = name == "asyncio.open_connection" and not _bounded(file, call)
        if forgotten or opened or (none and name.startswith(("httpx.", "httpx2.", "requests."))):
            yield file.hit(call, f"{name}(…) may wait for ever")


def _bounded(file: SourceFile, call: ast.Call) -> bool:
    """Whether something around the call ends it."""
    for above in file.parents(call):
        if isinstance(above, ast.Call) and file.qualified(above.func) in _BOUNDED:
            return True
        items = above.items if isinstance(above, ast.AsyncWith | ast.With) else []
        calls = [item.context_expr for item in items]
        if any(isinstance(item, ast.Call) and file.qualified(item.func) in _BOUNDED for item in calls):
            return True
    return False


Y04 = Rule(
    "Y04",
    "A client or an engine for every request",
    "Each one opens its own connections and closes them again: nothing is reused, and under load nothing is left.",
    "register it as a service in manifest/container.py and take it with `Annotated[Type, inject(Type)]`.",
    "from fastapi import APIRouter\nfrom fastapi_services_platform import access\n"
    "from sqlalchemy.ext.asyncio import create_async_engine\n\nrouter = APIRouter()\n\n\n"
    '@router.get("/planted")\n@access(authenticated=True)\nasync def planted(url: str) -> str:\n    """Its name."""\n'
    "    engine = create_async_engine(url, pool_pre_ping=True)\n    return engine.name\n",
    "from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine\n\n\n"
    'def engine_of(url: str) -> AsyncEngine:\n    """Called once, by the container."""\n'
    "    return create_async_engine(url, pool_pre_ping=True)\n",
    member_check=per_request,
)
Y05 = Rule(
    "Y05",
    "An HTTP client outside of the runtime's pool",
    "It has no keep-alive that others share, no retry and no breaker: one slow neighbour takes this service along.",
    "take fastapi_services_platform.Clients and ask it for a client by name.",
    "import aiohttp  # factory: allow D01 -- an extra declares it\n\n\n"
    'def client_of(url: str) -> aiohttp.ClientSession:\n    """Called once."""\n'
    "    return aiohttp.ClientSession(url)\n",
    "from fastapi_services_platform import Clients\n\n\n"
    'def name_of(clients: Clients) -> str:\n    """Shown to the operator."""\n    return type(clients).__name__\n',
    file_check=own_pool,
)
Y06 = Rule(
    "Y06",
    "An engine that says nothing about its pool",
    "After a restart of the database every kept connection fails once, in somebody's request.",
    "take the runtime's Database; an engine of one's own gets pool_pre_ping=True, or NullPool for rare work.",
    "from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine\n\n\n"
    'def engine_of(url: str) -> AsyncEngine:\n    """Called once."""\n    return create_async_engine(url)\n',
    "from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine\n\n\n"
    'def engine_of(url: str) -> AsyncEngine:\n    """Called once."""\n'
    "    return create_async_engine(url, pool_pre_ping=True)\n",
    areas=("source", "other"),
    file_check=bare_engine,
)
Y10 = Rule(
    "Y10",
    "A call of something outside without an end",
    "What does not answer holds the caller, and then all callers.",
    "give it a timeout, or put `async with asyncio.timeout(…)` around it.",
    "import asyncio\n\n\n"
    'async def planted(host: str, port: int) -> bytes:\n    """What it says first."""\n'
    "    reader, writer = await asyncio.open_connection(host, port)\n    writer.close()\n"
    "    return await reader.readline()\n",
    "import asyncio\n\n\n"
    'async def planted(host: str, port: int, seconds: float) -> bytes:\n    """What it says first."""\n'
    "    async with asyncio.timeout(seconds):\n"
    "        reader, writer = await asyncio.open_connection(host, port)\n        writer.close()\n"
    "        return await reader.readline()\n",
    areas=("source", "other"),
    file_check=endless,
)

RULES = (Y04, Y05, Y06, Y10)
