"""A Python file, parsed once, with indexes that all rules share."""

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from au_sys_python_factory.checks.reading.facts import Facts, facts_of
from au_sys_python_factory.checks.rule import Area, Hit
from au_sys_python_factory.workspace.members import Member

Node = TypeVar("Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Imported(NamedTuple):
    """One imported thing: ``from module import name`` (``name`` empty for ``import module``), bound to ``alias``."""

    module: str
    name: str
    alias: str
    node: ast.Import | ast.ImportFrom
    typing_only: bool

    @property
    def target(self) -> str:
        """Module and name with a dot between them."""
        return f"{self.module}.{self.name}" if self.name else self.module


class Comment(NamedTuple):
    """A comment; ``alone`` when nothing else stands on its line."""

    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One file. ``module`` is its dotted name (``tests.…`` for tests); ``area`` says which rules apply."""

    path: Path
    relative: str
    module: str
    area: Area
    member: Member
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether the file is an ``__init__.py``."""
        return self.path.name == "__init__.py"

    @cached_property
    def inner(self) -> tuple[str, ...]:
        """The parts of the path below the import package (or below ``tests``)."""
        top = self.member.source if self.area == "source" and self.member.source else self.member.path
        return self.path.relative_to(top).parts

    @property
    def layer(self) -> str:
        """The first folder (or module) inside the import package: ``core``, ``adapters``, ``manifest`` …"""
        return self.inner[0].removesuffix(".py") if self.inner else ""

    @cached_property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self.text.splitlines()

    @cached_property
    def _index(self) -> tuple[dict[type[ast.AST], list[ast.AST]], dict[ast.AST, ast.AST]]:
        by_type: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        parents: dict[ast.AST, ast.AST] = {}
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            by_type[type(node)].append(node)
            inside: list[ast.AST] = []
            for name in _CHILDREN[type(node)]:
                child = getattr(node, name, None)
                if isinstance(child, list):
                    inside += [item for item in child if isinstance(item, ast.AST)]
                elif isinstance(child, ast.AST):
                    inside.append(child)
            if inside:
                parents.update(dict.fromkeys(inside, node))
                inside.reverse()
                waiting += inside
        return by_type, parents

    def find(self, kind: type[Node]) -> list[Node]:
        """Every node of exactly this type, in the order of the file."""
        return self._index[0].get(kind, _NONE)  # type: ignore[return-value]  # all of them are of exactly this type

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node that holds this one."""
        return self._index[1].get(node)

    def parents(self, node: ast.AST) -> Iterator[ast.AST]:
        """Everything around the node, innermost first."""
        above = self.parent(node)
        while above is not None:
            yield above
            above = self.parent(above)

    def function_of(self, node: ast.AST) -> Function | ast.Lambda | None:
        """The innermost function or lambda whose body runs the node."""
        below = node
        for above in self.parents(node):
            if isinstance(above, ast.Lambda):
                return above
            if isinstance(above, Function) and below not in above.decorator_list:
                return above
            below = above
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around the node."""
        return next((above for above in self.parents(node) if isinstance(above, ast.ClassDef)), None)

    @cached_property
    def functions(self) -> list[Function]:
        """Every function and method, sync or async."""
        return sorted([*self.find(ast.FunctionDef), *self.find(ast.AsyncFunctionDef)], key=_place)

    @cached_property
    def defined(self) -> frozenset[str]:
        """Names that the top of the module defines itself."""
        names: set[str] = set()
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
        return frozenset(names)

    @cached_property
    def exported(self) -> list[str]:
        """The names in ``__all__``."""
        for node in self.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                value = getattr(node, "value", None)
                items = value.elts if isinstance(value, ast.List | ast.Tuple) else []
                return [str(item.value) for item in items if isinstance(item, ast.Constant)]
        return []

    @cached_property
    def facts(self) -> Facts:
        """What rules about whole members ask of the file."""
        return facts_of(self)

    def may_use(self, names: frozenset[str]) -> bool:
        """Whether an import leads to one of the names; they come with every module above them (:func:`ways_to`)."""
        return any(item.target in names for item in self.imports)

    def mentions(self, words: re.Pattern[str]) -> bool:
        """Whether looking for these words is worth while; where the tree is there anyway, it is."""
        return "tree" in self.__dict__ or bool(words.search(self.text))

    @cached_property
    def waives(self) -> bool:
        """Whether a comment of the file may be a waiver."""
        return "factory:" in self.text

    @cached_property
    def configures(self) -> bool:
        """Whether the file may hold a settings class: those are compared across members."""
        return "BaseSettings" in self.text

    @cached_property
    def spoken(self) -> frozenset[str]:
        """Every name that the file uses: plain, after a dot, imported, or as a whole text."""
        found = {node.id for node in self.find(ast.Name)} | {node.attr for node in self.find(ast.Attribute)}
        found |= {node.value for node in self.find(ast.Constant) if isinstance(node.value, str)}
        return frozenset(found | {item.name for item in self.imports})

    @cached_property
    def imports(self) -> list[Imported]:
        """Every import, with relative ones resolved."""
        found: list[Imported] = []
        for node in self.find(ast.Import):
            typing_only = self._typing_only(node)
            for item in node.names:
                alias = item.asname or item.name.split(".")[0]
                found.append(Imported(item.name, "", alias, node, typing_only))
        for inside in self.find(ast.ImportFrom):
            typing_only = self._typing_only(inside)
            module = self._absolute(inside)
            found.extend(
                Imported(module, item.name, item.asname or item.name, inside, typing_only) for item in inside.names
            )
        return found

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.module.split(".")
        kept = package[: len(package) - node.level + (1 if self.is_package else 0)]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def _typing_only(self, node: ast.AST) -> bool:
        return any(
            isinstance(above, ast.If) and ast.unparse(above.test).endswith("TYPE_CHECKING")
            for above in self.parents(node)
        )

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What imported names stand for."""
        found: dict[str, str] = {}
        for item in self.imports:
            whole = item.name == "" and item.alias != item.module.split(".")[0]
            found[item.alias] = item.target if item.name or whole else item.alias
        return found

    @cached_property
    def _qualified(self) -> dict[ast.AST, str]:
        return {}

    def qualified(self, node: ast.AST | None) -> str:
        """The dotted name that an expression stands for, with imports resolved; empty when it is no plain name."""
        if node is None:
            return ""
        known = self._qualified.get(node)
        if known is None:
            known = self._qualified[node] = self._resolved(node)
        return known

    def _resolved(self, node: ast.AST) -> str:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.aliases.get(node.id, node.id), *reversed(parts)])

    @cached_property
    def comments(self) -> list[Comment]:
        """Every comment of the file."""
        if "#" not in self.text:
            return []
        found: list[Comment] = []
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                found.append(Comment(line, column, token.string, not token.line[:column].strip()))
        return found

    @cached_property
    def comment_lines(self) -> dict[int, str]:
        """Comments by line."""
        return {comment.line: comment.text for comment in self.comments}

    @cached_property
    def _statements(self) -> dict[int, range]:
        """The lines of the simple statement that stands on a line."""
        found: dict[int, range] = {}
        for nodes in self._index[0].values():
            for node in nodes:
                if isinstance(node, ast.stmt) and not hasattr(node, "body"):
                    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                    found.update(dict.fromkeys(lines, lines))
        return found

    def lines_around(self, line: int) -> range:
        """The lines of the statement on a line; a formatter may move a comment from one to another."""
        return self._statements.get(line, range(line, line + 1))

    @cached_property
    def docstrings(self) -> list[tuple[ast.AST, ast.Constant]]:
        """Every docstring with the module, class or function that it belongs to."""
        owners: Iterable[ast.Module | ast.ClassDef | Function] = [self.tree, *self.find(ast.ClassDef), *self.functions]
        found: list[tuple[ast.AST, ast.Constant]] = []
        for owner in owners:
            first = owner.body[0] if owner.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found.append((owner, first.value))
        return found

    def hit(self, node: ast.AST | int, message: str) -> Hit:
        """A broken rule at a node or a line."""
        if isinstance(node, int):
            return Hit(node, 1, message)
        return Hit(getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1, message)


class _Children(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of each type of node that may hold nodes; how a name is used (``ctx``) is no node of the text."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        found = self[kind] = tuple(name for name in kind._fields if name not in _NO_NODES)
        return found


_NO_NODES = {"ctx", "id", "attr", "arg", "asname", "module", "level", "kind", "lineno", "type_comment"}
_CHILDREN = _Children()
_NONE: list[ast.AST] = []


def ways_to(names: Iterable[str]) -> frozenset[str]:
    """Dotted names, and all that an import of them may name."""
    parts = [name.split(".") for name in names if "." in name]
    return frozenset(".".join(part[:count]) for part in parts for count in range(1, len(part) + 1))


def _place(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def body_of(function: Function) -> list[ast.stmt]:
    """The statements of a function without its docstring."""
    first = function.body[0]
    has_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return function.body[1:] if has_docstring else function.body


def decorators(file: SourceFile, function: Function | ast.ClassDef) -> list[str]:
    """The qualified names of the decorators."""
    return [file.qualified(item.func if isinstance(item, ast.Call) else item) for item in function.decorator_list]
