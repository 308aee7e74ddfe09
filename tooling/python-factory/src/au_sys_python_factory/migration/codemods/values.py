"""Values that were made at import, and read from the environment: made at their first use, chosen by the manifest.

A module-level name whose value works at import (an engine, a client, a variable of the environment), or stands on such
a name, becomes a cached function; its uses, in other modules too, call it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from au_sys_python_factory.checks.architecture.import_time import WORKING
from au_sys_python_factory.checks.asynchrony.blocking import blocking_calls
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.inventory.names import Name, Names
from au_sys_python_factory.migration.codemods.edits import Edits

_READS = {"os.getenv", "os.environ.get"}


class Values:
    """The names of an application that are made late. ``manifests``: modules that may read the environment."""

    def __init__(self, names: Names, files: Iterable[SourceFile], manifests: set[str]) -> None:
        self._names = names
        self._manifests = manifests
        self.late: set[Name] = set()
        found = [(file, node) for file in files for node in file.tree.body if isinstance(node, ast.Assign)]
        more = True
        while more:
            more = False
            for file, node in found:
                name = Name(file.module, _target(node))
                if _is_plain(node) and name not in self.late and self._works(file, node.value):
                    self.late.add(name)
                    more = True

    def _works(self, file: SourceFile, value: ast.expr) -> bool:
        for node in ast.walk(value):
            if isinstance(node, ast.Call) and file.qualified(node.func) in WORKING | _READS:
                return file.module not in self._manifests
            if isinstance(node, ast.Name | ast.Attribute) and self._names.of(file, node) in self.late:
                return True
        return False

    def made_late(self, file: SourceFile) -> str:
        """The module's text with its late names as functions, and with every use as a call."""
        edits = Edits(file.text)
        for node in file.tree.body:
            if isinstance(node, ast.Assign) and Name(file.module, _target(node)) in self.late:
                given = ast.unparse(self._value(file, node.value))
                edits.replace(node, f"@cache\ndef {_target(node)}():\n    return {given}\n")
        for used in self._uses(file):
            edits.replace(used, f"{ast.unparse(used)}()")
        if file.module not in self._manifests:
            for call, variable in _reads(file):
                if file.function_of(call) is not None:
                    edits.replace(call, f'chosen("{variable}")')
        for call, _ in blocking_calls(file):
            if isinstance(file.function_of(call), ast.AsyncFunctionDef):
                inner = [ast.unparse(item) for item in (call.func, *call.args)]
                inner += [ast.unparse(item).replace(" = ", "=") for item in call.keywords]
                edits.replace(call, f"await blocking({', '.join(inner)})")
        return edits.done()

    def _uses(self, file: SourceFile) -> Iterator[ast.expr]:
        places: list[ast.Name | ast.Attribute] = [*file.find(ast.Name), *file.find(ast.Attribute)]
        for node in places:
            inside = (
                isinstance(file.parent(node), ast.Attribute) and self._names.of(file, file.parent(node)) in self.late
            )
            statement = next((above for above in (node, *file.parents(node)) if isinstance(above, ast.stmt)), None)
            own = _is_plain(statement) and Name(file.module, _target(statement)) in self.late
            shadowed = isinstance(node, ast.Name) and _is_local(file, node)
            read = isinstance(node.ctx, ast.Load) and not inside and not own and not shadowed
            if read and self._names.of(file, node) in self.late:
                yield node

    def _value(self, file: SourceFile, value: ast.expr) -> ast.expr:
        late, names = self.late, self._names

        class Late(ast.NodeTransformer):
            def visit_Call(self, node: ast.Call) -> ast.AST:
                if file.qualified(node.func) in _READS and node.args and isinstance(node.args[0], ast.Constant):
                    return ast.Call(ast.Name("chosen", ast.Load()), [node.args[0]], [])
                return self.generic_visit(node)

            def visit_Name(self, node: ast.Name) -> ast.AST:
                return ast.Call(node, [], []) if names.of(file, node) in late else node

        made: ast.expr = Late().visit(value)
        return made


def _is_plain(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def _target(node: ast.AST | None) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else ""


def _is_local(file: SourceFile, node: ast.Name) -> bool:
    """Whether a function around the name has a parameter of that name."""
    function = file.function_of(node)
    while function is not None:
        given = function.args
        if node.id in {item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)}:
            return True
        function = file.function_of(function)
    return False


def _reads(file: SourceFile) -> Iterator[tuple[ast.expr, str]]:
    for call in file.find(ast.Call):
        if file.qualified(call.func) in _READS and call.args and isinstance(call.args[0], ast.Constant):
            yield call, str(call.args[0].value)
    for item in file.find(ast.Subscript):
        if file.qualified(item.value) == "os.environ" and isinstance(item.slice, ast.Constant):
            yield item, str(item.slice.value)
