"""Every operation of an interface is called by a test or by the gauntlet, once with success and once without."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from au_sys_python_factory.checks.manifest.contents import imported, routers
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.routes import Route, routes
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_METHODS = {"get", "post", "put", "patch", "delete"}
_REFUSED = 400
_PARAMETER = re.compile(r"\{[^}]*\}")
_VARIABLE = re.compile(r"\$\{[^}]*\}")


class Call(NamedTuple):
    """A request of a row or a test: method ("" when it is not said), path, and the statuses that are expected."""

    method: str
    path: str
    statuses: frozenset[int]


def uncalled(member: MemberFiles) -> Iterator[Hit]:
    """Operations of mounted routers that nothing calls, or nothing calls wrongly."""
    if not member.member.tri_layer:
        return
    calls: list[Call] | None = None
    known = imported(member)
    for file, made in routers(member):
        if file.inner[:2] != ("adapters", "api") or file.module not in known:
            continue
        if calls is None:
            calls = [*_rows(member), *_tests(member.tests)]
        prefix = _prefix(made)
        for route in routes(file):
            pattern = _pattern(prefix + route.path)
            if route.method not in _METHODS or pattern is None:
                continue
            met = [call for call in calls if call.method in ("", route.method) and pattern.search(call.path)]
            told = f"{route.method.upper()} {prefix}{route.path or '/'}"
            if not any(status < _REFUSED for call in met for status in call.statuses):
                yield _hit(file, route.function, f"no test and no row calls {told} with success")
            elif _may_be_refused(route) and not any(status >= _REFUSED for call in met for status in call.statuses):
                yield _hit(file, route.function, f"no test and no row is refused by {told}")


def _hit(file: SourceFile, function: ast.FunctionDef | ast.AsyncFunctionDef, message: str) -> Hit:
    return Hit(function.lineno, function.col_offset + 1, message, file.path)


def _prefix(made: ast.Assign) -> str:
    call = made.value
    given = [item.value for item in call.keywords if item.arg == "prefix"] if isinstance(call, ast.Call) else []
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else ""


def _pattern(path: str) -> re.Pattern[str] | None:
    """The end of a path; nothing for one that says too little to be recognized."""
    plain = [re.escape(part) for part in _PARAMETER.split(path.rstrip("/"))]
    return re.compile("[^/]+".join(plain) + "/?$") if re.search(r"[a-z]{2}", _PARAMETER.sub("", path)) else None


def _may_be_refused(route: Route) -> bool:
    """Whether a stranger may call it with something; what is not public the gauntlet itself calls as a stranger."""
    public = any("public=True" in ast.unparse(item) for item in route.function.decorator_list)
    return public and (route.method != "get" or "{" in route.path)


def _rows(member: MemberFiles) -> Iterator[Call]:
    """The rows of the package, and those of platforms, which cross packages."""
    source = member.member.source
    folders = [source / "gauntlet"] if source else []
    folders += [shell.path / "gauntlet" for shell in member.project.workspace.platforms]
    for path in sorted(path for folder in folders for path in folder.glob("*.toml")):
        yield from _of_file(path)


def _of_file(path: Path) -> Iterator[Call]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("row", [])
    except tomllib.TOMLDecodeError:
        return
    for row in found if isinstance(found, list) else []:
        expected = row.get("expect", {}).get("status", 200)
        statuses = frozenset(expected if isinstance(expected, list) else [expected])
        asked = _VARIABLE.sub("x", str(row.get("path", ""))).partition("?")[0]
        yield Call(str(row.get("method", "GET")).lower(), asked, statuses)


def _tests(files: Iterable[SourceFile]) -> Iterator[Call]:
    """Paths that test functions name, with every status that they name; what a test asks for usually succeeds."""
    for file in files:
        yield from (Call(one.method, one.path, frozenset(one.statuses)) for one in file.facts.asked)


M07 = Rule(
    "M07",
    "An operation that nothing calls",
    "What no test and no row of the gauntlet calls is first called by a user; what is never refused refuses nobody.",
    "write a row in gauntlet/ or a test for its success, and one for what it must refuse.",
    "a mounted route whose path stands in no test and in no row\n",
    "one with a row that succeeds and a row that is refused\n",
    member_check=uncalled,
)

RULES = (M07,)
