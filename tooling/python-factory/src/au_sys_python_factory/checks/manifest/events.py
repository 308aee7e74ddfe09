"""What others may react to is written down."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_PLACES = {"events.py", "hooks.py"}
_PLAIN = {"tuple", "list", "str", "int", "bool", "float", "bytes", "dict", "Mapping", "Sequence"}


def undocumented(file: SourceFile) -> Iterator[Hit]:
    """Public classes and functions of events.py and hooks.py, and fields of a Contribution, that nobody explained."""
    if file.path.name in _PLACES:
        for node in file.tree.body:
            public = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if public and not getattr(node, "name", "_").startswith("_") and not _text(node):
                yield file.hit(node, f"{getattr(node, 'name', '')} is explained nowhere")
    for owner in file.find(ast.ClassDef):
        if owner.name == "Contribution" and file.member.role == "runtime":
            yield from _fields(file, owner)


def _text(node: ast.AST) -> str:
    documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return ast.get_docstring(node) or "" if isinstance(node, documented) else ""


def _fields(file: SourceFile, owner: ast.ClassDef) -> Iterator[Hit]:
    """Each hook of a Contribution has a type that explains it, or a text: in the class, below its line or beside it."""
    told = _text(owner)
    for field, after in zip(owner.body, [*owner.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            below = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            beside = {field.lineno - 1, field.lineno} & file.comment_lines.keys()
            typed = any(isinstance(node, ast.Name) and node.id not in _PLAIN for node in ast.walk(field.annotation))
            if not (typed or below or beside or field.target.id in told or "." in ast.unparse(field.annotation)):
                yield file.hit(field, f"the hook {field.target.id} is explained nowhere")


M08 = Rule(
    "M08",
    "A hook or an event is undocumented",
    "Others build on what they guess it means.",
    "say in its docstring when it happens and what it carries; a field of Contribution has a line below it.",
    '"""What others may react to."""\n\nfrom dataclasses import dataclass\n\n\n'
    "@dataclass(frozen=True)\nclass NoteMoved:\n    number: int\n",
    '"""What others may react to."""\n\nfrom dataclasses import dataclass\n\n\n'
    '@dataclass(frozen=True)\nclass NoteMoved:\n    """A note has another owner from now on."""\n\n    number: int\n',
    place="src/{package}/core/planted/events.py",
    file_check=undocumented,
)

RULES = (M08,)
