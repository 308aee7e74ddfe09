"""Small edits of Python files: an import, an element of a tuple, a function at the end; the rest stays as it is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from au_sys_python_factory.errors import Refused

Finder = Callable[[ast.Module], ast.Tuple | ast.List | None]
"""Points at a tuple or a list in a module."""


def parsed(text: str, path: str) -> ast.Module:
    """The file's tree.

    Raises:
        Refused: it does not parse; the message has line and column.
    """
    try:
        return ast.parse(text)
    except SyntaxError as error:
        where = f"{path}:{error.lineno}:{error.offset}"
        raise Refused(f"does not parse: {error.msg}.", where=where, fix="correct it; nothing was written.") from None


def with_imports(text: str, lines: Sequence[str], path: str) -> str:
    """The text with more imports behind the last of those at its top; whoever sorts them finds their places."""
    tree = parsed(text, path)
    present = {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    wanted = [line for line in lines if not _covered(line, tree) and line not in present]
    if not wanted:
        return text
    last = max((node.end_lineno or 1 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)), default=1)
    rows = text.splitlines(keepends=True)
    end = "\r\n" if rows and rows[0].endswith("\r\n") else "\n"
    rows[last:last] = [f"{line}{end}" for line in wanted]
    return "".join(rows)


def _covered(line: str, tree: ast.Module) -> bool:
    """Whether every name of an import line is imported already."""
    node = ast.parse(line).body[0]
    if not isinstance(node, ast.ImportFrom):
        return False
    known = {
        (found.module, item.name) for found in tree.body if isinstance(found, ast.ImportFrom) for item in found.names
    }
    return all((node.module, item.name) in known for item in node.names)


def with_element(text: str, find: Finder, element: str, path: str) -> str:
    """The text with one more element at the end of the tuple that ``find`` points at.

    Raises:
        Refused: there is no such tuple.
    """
    found = find(parsed(text, path))
    if found is None or not found.elts:
        raise Refused(f"there is no place for {element}.", where=path, fix="add it by hand where its siblings are.")
    if element in {ast.unparse(item).replace("'", '"') for item in found.elts}:
        return text
    rows = text.splitlines(keepends=True)
    last = found.elts[-1]
    line = (last.end_lineno or last.lineno) - 1
    column = len(rows[line].encode()[: last.end_col_offset].decode())
    if last.lineno == found.lineno:
        rest = rows[line][column:]
        ends = rest[1:] if rest.startswith((",)", ",]")) else rest
        rows[line] = f"{rows[line][:column]}, {element}{ends}"
    else:
        end = "\r\n" if rows[line].endswith("\r\n") else "\n"
        rows.insert(line + 1, f"{' ' * found.elts[0].col_offset}{element},{end}")
    return "".join(rows)


def returned_by(function: str) -> Finder:
    """The tuple that a function returns."""

    def find(tree: ast.Module) -> ast.Tuple | None:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                values = [item.value for item in ast.walk(node) if isinstance(item, ast.Return)]
                return next((value for value in values if isinstance(value, ast.Tuple)), None)
        return None

    return find


def given_as(keyword: str, call: str) -> Finder:
    """The tuple that a call takes as a keyword argument."""

    def find(tree: ast.Module) -> ast.Tuple | None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == call:
                values = [item.value for item in node.keywords if item.arg == keyword]
                return next((value for value in values if isinstance(value, ast.Tuple)), None)
        return None

    return find


def exported(tree: ast.Module) -> ast.List | None:
    """The list ``__all__``."""
    for node in tree.body:
        named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if named and isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            return node.value
    return None


def functions(text: str, path: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions at the top of a file by name."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: node for node in parsed(text, path).body if isinstance(node, kinds)}


def with_function(text: str, source: str, path: str) -> str:
    """The text with a function at its end, unless one of that name does the same.

    Raises:
        Refused: one of that name does something else; both places are named.
    """
    made = ast.parse(source).body[-1]
    if not isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef):
        return text
    known = functions(text, path).get(made.name)
    if known is None:
        return f"{text.rstrip(chr(10))}\n\n\n{source.strip()}\n"
    if [ast.unparse(item) for item in known.decorator_list] != [ast.unparse(item) for item in made.decorator_list]:
        raise Refused(
            f"{made.name} exists and does something else.", where=f"{path}:{known.lineno}", fix="choose another verb."
        )
    return text
