"""Loggers of the standard library and prints become events with fields of the platform's logger."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.names import Names
from au_sys_python_factory.migration.codemods.edits import Edits
from au_sys_python_factory.migration.codemods.endpoints import with_import

_LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
_LOGGER = {"logging.Logger", "Logger"}
_PERCENT = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[sdrfxi]")


def makers(files: Iterable[SourceFile]) -> frozenset[str]:
    """The application's own functions that give a logger, by their dotted names."""
    return frozenset(
        f"{file.module}.{node.name}"
        for file in files
        for node in file.tree.body
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) in _LOGGER
    )


def loggers(file: SourceFile, names: Names, known: Collection[str]) -> set[str]:
    """What stands for a logger in a module: a call of a maker, what one was bound to, a parameter of that type."""
    found: set[str] = set()
    for call in file.find(ast.Call):
        if names.of(file, call.func).dotted in known:
            above = file.parent(call)
            target = above.targets[0] if isinstance(above, ast.Assign) else call
            found.add(ast.unparse(target))
    for name in file.aliases:
        value = names.value(names.of(file, ast.Name(name)))
        holder = names.files.get(names.of(file, ast.Name(name)).module)
        if isinstance(value, ast.Call) and holder and names.of(holder, value.func).dotted in known:
            found.add(name)
    typed = [item for item in file.find(ast.arg) if item.annotation and ast.unparse(item.annotation) in _LOGGER]
    return found | {item.arg for item in typed}


def told(text: str, also: Collection[str] = ()) -> str:
    """The text with its log calls and prints rewritten; levels and values stay. ``also``: other names of loggers."""
    tree = ast.parse(text)
    known = {name for name, _ in _loggers(tree)} | set(also)
    imports = any(isinstance(node, ast.Import) and "logging" in {a.name for a in node.names} for node in tree.body)
    edits = Edits(text)
    used = False
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        what = ast.unparse(node.func)
        owner, _, method = what.rpartition(".")
        if what == "print" or (owner == "logging" and imports and method in _LEVELS):
            edits.replace(node, _event("logger", "info" if what == "print" else method, node))
            used = used or "logger" not in known
        elif owner in known and method in _LEVELS:
            edits.replace(node, _event(owner, method, node))
    for _, value in _loggers(tree):
        edits.replace(value, "get_logger(__name__)")
    for statement in _configuring(tree):
        edits.remove_statement(statement)
    changed = edits.done()
    if changed == text:
        return text
    return _with_logger(changed, made=used)


def _loggers(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        value = node.value if isinstance(node, ast.Assign) else None
        made = isinstance(value, ast.Call) and ast.unparse(value.func) == "logging.getLogger"
        if made and isinstance(target, ast.Name) and value is not None:
            yield target.id, value


def _configuring(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        if is_call and ast.unparse(node).startswith("logging.basicConfig("):
            yield node  # type: ignore[misc]  # an expression that stands alone, as asked above


def _event(owner: str, method: str, call: ast.Call) -> str:
    """``logger.info(f"read {count} notes from {place}")`` as ``logger.info("read notes from", count=…, place=…)``."""
    first, rest = (call.args[0], call.args[1:]) if call.args else (ast.Constant(""), [])
    fields: list[tuple[str, str]] = []
    if isinstance(first, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else " " for part in first.values]
        fields += [(_name(part.value), ast.unparse(part.value)) for part in first.values if _is_value(part)]  # type: ignore[attr-defined]  # a formatted value, as asked
        words = "".join(parts)
    elif isinstance(first, ast.Constant):
        words = _PERCENT.sub(" ", str(first.value))
    else:
        words = "printed" if owner == "logger" else "told"
        fields.append((_name(first), ast.unparse(first)))
    fields += [(_name(item), ast.unparse(item)) for item in rest]
    kept = [f"{item.arg}={ast.unparse(item.value)}" for item in call.keywords if item.arg == "exc_info"]
    event = re.sub(r"\s+", " ", words).strip(" :=,.-\"'") or "told"
    named = [f"{name}={value}" for name, value in _apart(fields)]
    level = {"warn": "warning", "log": "info"}.get(method, method)
    return f"{owner}.{level}({', '.join([repr(event).replace(chr(39), chr(34)), *named, *kept])})"


def _is_value(part: ast.expr) -> bool:
    return isinstance(part, ast.FormattedValue)


def _name(node: ast.expr) -> str:
    words = re.findall(r"[A-Za-z_]\w*", ast.unparse(node))
    return words[-1].lower() if words else "value"


def _apart(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Two fields of one name get numbers; ``event`` and ``level`` are the logger's own."""
    seen: dict[str, int] = {"event": 1, "level": 1}
    for name, value in fields:
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}_{seen[name]}"), value


def _with_logger(text: str, *, made: bool) -> str:
    tree = ast.parse(text)
    edits = Edits(text)
    still = "logging." in re.sub(r"import logging\b", "", text)
    last = 1
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            last = (node.end_lineno or node.lineno) + 1
            if isinstance(node, ast.Import) and [item.name for item in node.names] == ["logging"] and not still:
                edits.remove_statement(node)
    if made:
        edits.insert_line(last, "\nlogger = get_logger(__name__)")
    new = edits.done()
    return with_import(new, {"get_logger"}) if "get_logger(__name__)" in new else new
