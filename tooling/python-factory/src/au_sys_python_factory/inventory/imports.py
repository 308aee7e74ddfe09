"""What imports what: inside, from elsewhere, in which way; circles, and modules that nobody asks for."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from au_sys_python_factory.checks.reading.source import Function, SourceFile
from au_sys_python_factory.inventory.names import Names

Kind = Literal["internal", "third party", "standard"]
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_]\w*)?|[A-Za-z_]\w*:[A-Za-z_]\w*")
_ENTRANCES = {"__main__", "asgi", "wsgi", "conftest", "setup", "main", "cli", "app"}


@dataclass(frozen=True, order=True, slots=True)
class Import:
    """``conditional``: below ``if``, ``try`` or in a function; ``by_string``: named by text only."""

    target: str
    line: int
    kind: Kind
    conditional: bool = False
    by_string: bool = False
    typing_only: bool = False


def imports(names: Names, file: SourceFile) -> tuple[Import, ...]:
    """Every import of a module, and every module that its text names."""
    found = set(_statements(names, file)) | set(_by_string(names, file))
    return tuple(sorted(found))


def _statements(names: Names, file: SourceFile) -> Iterator[Import]:
    for item in file.imports:
        target = item.target if item.name != "*" and names.module(item.target) else item.module
        above = list(file.parents(item.node))
        guarded = any(isinstance(node, ast.If | ast.Try | Function) for node in above)
        yield Import(
            _canonical(names, target), item.node.lineno, _kind(names, target), guarded, typing_only=item.typing_only
        )


def _canonical(names: Names, target: str) -> str:
    found = names.module(target)
    return found.module if found is not None else target


def _kind(names: Names, target: str) -> Kind:
    top = target.split(".")[0]
    if names.module(target) is not None or any(name.split(".")[0] == top for name in names.files):
        return "internal"
    return "standard" if top in sys.stdlib_module_names else "third party"


def _by_string(names: Names, file: SourceFile) -> Iterator[Import]:
    for call in file.find(ast.Call):
        if file.qualified(call.func) in ("importlib.import_module", "__import__") and call.args:
            first = call.args[0]
            known = isinstance(first, ast.Constant)
            target = str(first.value) if isinstance(first, ast.Constant) else f"<{ast.unparse(first)}>"
            kind = _kind(names, target) if known else "third party"
            yield Import(_canonical(names, target), call.lineno, kind, True, by_string=True)
    for text in file.find(ast.Constant):
        if isinstance(text.value, str) and _DOTTED.fullmatch(text.value):
            module = names.module(text.value.split(":")[0])
            if module is not None and module is not file:
                yield Import(module.module, text.lineno, "internal", True, by_string=True)


def arrows(found: Mapping[str, Iterable[Import]], *, all_kinds: bool) -> dict[str, set[str]]:
    """Which module imports which; without ``all_kinds`` only what happens when a module is imported."""
    below: dict[str, set[str]] = defaultdict(set)
    for module, items in found.items():
        for item in items:
            at_once = not (item.by_string or item.typing_only)
            if item.kind == "internal" and item.target != module and (all_kinds or at_once):
                below[module].add(item.target)
    return below


def circles(below: Mapping[str, set[str]]) -> tuple[tuple[str, ...], ...]:
    """Modules that import each other, group by group (strongly connected, Tarjan 1972)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []
    for start in sorted(below):
        work: list[tuple[str, Iterator[str]]] = []
        if start not in number:
            _enter(start, number, low, stack, work, below)
        while work:
            node, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    found.append(_taken(stack, node))
            elif following not in number:
                _enter(following, number, low, stack, work, below)
            elif following in stack:
                low[node] = min(low[node], number[following])
    return tuple(sorted(group for group in found if len(group) > 1))


def _enter(
    node: str, number: dict[str, int], low: dict[str, int], stack: list[str],
    work: list[tuple[str, Iterator[str]]], below: Mapping[str, set[str]],
) -> None:  # fmt: skip
    number[node] = low[node] = len(number)
    stack.append(node)
    work.append((node, iter(sorted(below.get(node, ())))))


def _taken(stack: list[str], node: str) -> tuple[str, ...]:
    at = stack.index(node)
    group = tuple(sorted(stack[at:]))
    del stack[at:]
    return group


def unused(files: Iterable[SourceFile], below: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Modules that no other module names, other than where programs start."""
    reached = {target for targets in below.values() for target in targets}
    packages = {".".join(module.split(".")[:cut]) for module in reached for cut in range(1, module.count(".") + 1)}
    return tuple(
        sorted(
            file.module
            for file in files
            if file.module not in reached | packages
            and not file.is_package
            and file.module.split(".")[-1] not in _ENTRANCES
            and "versions" not in file.module.split(".")
        )
    )
