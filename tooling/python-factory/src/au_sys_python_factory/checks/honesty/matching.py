"""What an adapter promises by its base, it has: every method, with the port's inputs, in the port's colour."""

import ast
import re
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.ports import Class, classes, ports
from au_sys_python_factory.checks.reading.project import MemberFiles
from au_sys_python_factory.checks.reading.source import Function
from au_sys_python_factory.checks.rule import Hit, Rule

_DEFERRED = ("Await", "Async", "Coroutine", "Generator")
_ANSWERS = re.compile(r"def __getattr(?:ibute)?__")
_DECORATED = {"property", "staticmethod", "classmethod", "overload"}


def mismatch(member: MemberFiles) -> Iterator[Hit]:
    """Adapters that differ from the port whose name they end with, or that they name as base."""
    if not member.member.tri_layer:
        return
    known = classes(member)
    named = {port.name: port for port in ports(known)}
    for found in known.values():
        if found.file.layer != "adapters" or found.is_protocol:
            continue
        for port in _promised(found, named):
            yield from (Hit(line, 1, message, found.file.path) for line, message in _differences(found, port))


def _promised(found: Class, named: dict[str, Class]) -> list[Class]:
    """Ports among the bases; without one, the port with the longest name that the class's name ends with."""
    bases = [one for one in found.ancestors if one.is_port]
    if bases:
        return bases
    ends = [name for name in named if found.name.endswith(name)]
    port = named[max(ends, key=len)] if ends else None
    shared = port is not None and len(port.methods & found.methods) * 2 > len(port.methods)
    return [port] if port is not None and shared else []


def _differences(found: Class, port: Class) -> Iterator[tuple[int, str]]:
    explicit = port in found.ancestors
    real = {name: method for one in (found, *found.ancestors) if not one.is_port for name, method in one.own.items()}
    wanted = {name: method for one in reversed((port, *port.ancestors)) for name, method in one.own.items()}
    missing = [name for name in wanted if name not in real.keys() | found.attributes]
    if missing and found.closed and not _ANSWERS.search(found.file.text):
        yield found.shape.line, f"{found.name} lacks {', '.join(missing)} of {port.name}"
    for name, asked in wanted.items():
        method = real.get(name)
        if method is not None and (name in found.own or explicit):
            place = method.lineno if found.own.get(name) is method else found.shape.line
            if message := _other(method, asked):
                yield place, f"{found.name}.{name} {message} in {port.name}"


def _other(method: Function, wanted: Function) -> str:
    """How a method differs from the port's; empty where it does not."""
    if {ast.unparse(item) for item in (*method.decorator_list, *wanted.decorator_list)} & _DECORATED:
        return ""
    told = ast.unparse(wanted.returns) if wanted.returns else ""
    given = ast.unparse(method.returns) if method.returns else ""
    waits = isinstance(wanted, ast.AsyncFunctionDef)
    if waits and isinstance(method, ast.FunctionDef) and not any(word in given for word in _DEFERRED):
        return "is sync, but async"
    if not waits and isinstance(method, ast.AsyncFunctionDef) and not any(word in told for word in _DEFERRED):
        return "is async, but sync"
    return _inputs(method.args, wanted.args)


def _inputs(mine: ast.arguments, theirs: ast.arguments) -> str:
    by_place, wanted = ([*one.posonlyargs, *one.args] for one in (mine, theirs))
    needed = len(by_place) - len(mine.defaults)
    if needed > len(wanted) and not theirs.vararg:
        return f"asks for {by_place[len(wanted)].arg}, which is not asked for"
    if len(by_place) < len(wanted) and not mine.vararg:
        return f"does not take {wanted[len(by_place)].arg}, which is taken"
    names = {item.arg for item in (*by_place, *mine.kwonlyargs)}
    missing = [item.arg for item in theirs.kwonlyargs if item.arg not in names and not mine.kwarg]
    if missing:
        return f"does not take {missing[0]}, which is taken"
    known = {item.arg for item in (*wanted, *theirs.kwonlyargs)}
    extra = [
        item.arg
        for item, default in zip(mine.kwonlyargs, mine.kw_defaults, strict=True)
        if default is None and item.arg not in known
    ]
    return f"asks for {extra[0]}, which is not asked for" if extra else ""


Z13 = Rule(
    "Z13",
    "An adapter does not match its port",
    "It is found on the day when the other adapter is chosen.",
    "give the method the port's name, inputs and colour (async or not), or change the port for all adapters.",
    "from {package}.core.notes.ports import NoteStore\n\n\n"
    'class PlantedNoteStore(NoteStore):\n    """Keeps nothing for long."""\n',
    'class Planted:\n    """Keeps nothing."""\n',
    member_check=mismatch,
)

RULES = (Z13,)
