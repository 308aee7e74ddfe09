"""Endpoints are coroutines, and loops are asked for in the present way."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.routes import routes
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_TASKS = {"asyncio.create_task", "asyncio.ensure_future"}
_DEPRECATED = {
    "asyncio.get_event_loop",
    "asyncio.coroutine",
    "asyncio.get_event_loop_policy",
    "asyncio.set_event_loop_policy",
    "asyncio.get_child_watcher",
    "asyncio.set_child_watcher",
}


def sync_endpoint(file: SourceFile) -> Iterator[Hit]:
    """Routes that are plain functions."""
    for route in routes(file):
        if isinstance(route.function, ast.FunctionDef):
            yield file.hit(route.function, f"{route.function.name} ({route.path or '/'}) is not async")


def old_loop_calls(file: SourceFile) -> Iterator[Hit]:
    """Deprecated ways to a loop."""
    for call in file.find(ast.Call):
        name = file.qualified(call.func)
        if name in _DEPRECATED:
            yield file.hit(call, f"{name} is deprecated")


def dropped_task(file: SourceFile) -> Iterator[Hit]:
    """Tasks that nobody holds: the loop knows them weakly only."""
    for statement in file.find(ast.Expr):
        call = statement.value
        if isinstance(call, ast.Call) and file.qualified(call.func) in _TASKS:
            yield file.hit(call, f"nobody holds the task of {ast.unparse(call.func)}(…)")


Y01 = Rule(
    "Y01",
    "A sync endpoint",
    "It runs in a hidden thread pool of forty: the forty-first caller waits, and nobody sees why.",
    "write `async def`; hand blocking work to `blocking(…)`.",
    "from fastapi import APIRouter\nfrom fastapi_services_platform import access\n\n"
    "router = APIRouter()\n\n\n"
    '@router.get("/notes")\n@access(public=True)\ndef notes() -> list[str]:\n    '
    '"""All of them."""\n    return []\n',
    "from fastapi import APIRouter\nfrom fastapi_services_platform import access\n\n"
    "router = APIRouter()\n\n\n"
    '@router.get("/notes")\n@access(public=True)\nasync def notes() -> list[str]:\n    '
    '"""All of them."""\n    return []\n',
    file_check=sync_endpoint,
)
Y07 = Rule(
    "Y07",
    "A deprecated way to the event loop",
    "It makes a second loop where none runs, and warns or fails in newer Pythons.",
    "use `asyncio.get_running_loop()`, `asyncio.run(…)`, `asyncio.Runner` or a task group.",
    'import asyncio\n\n\ndef planted() -> object:\n    """The loop."""\n    return asyncio.get_event_loop()\n',
    'import asyncio\n\n\nasync def planted() -> object:\n    """The loop."""\n    return asyncio.get_running_loop()\n',
    areas=("source", "tests"),
    file_check=old_loop_calls,
)
Y08 = Rule(
    "Y08",
    "A task without a holder",
    "The loop holds tasks weakly: one that nobody keeps can vanish in its middle, and its error with it.",
    "use a task group, or keep the task until it is done.",
    'import asyncio\n\n\nasync def planted() -> None:\n    """Begins something."""\n'
    "    asyncio.create_task(asyncio.sleep(1))\n",
    'import asyncio\n\n\nasync def planted() -> None:\n    """Begins something and sees it end."""\n'
    "    async with asyncio.TaskGroup() as group:\n        group.create_task(asyncio.sleep(1))\n",
    same_as=("RUF006",),
    file_check=dropped_task,
)

RULES = (Y01, Y07, Y08)
