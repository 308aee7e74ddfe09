"""What a module says of itself, what a door offers, and where names are imported from."""

import ast
from collections.abc import Iterator

from au_sys_python_factory.checks.reading.project import MemberFiles, Project
from au_sys_python_factory.checks.reading.source import SourceFile
from au_sys_python_factory.checks.rule import Hit, Rule

_MOST_NAMES = 12


def no_docstring(file: SourceFile) -> Iterator[Hit]:
    """Modules that do not say what they are for."""
    if not ast.get_docstring(file.tree):
        yield Hit(1, 1, "the module says nothing about its purpose", file.path)


def wide_door(member: MemberFiles) -> Iterator[Hit]:
    """Pure doors with too many names, or with names that nobody explained."""
    door = member.at("__init__.py")
    if door is None or member.member.role == "runtime":
        return
    names = door.exported
    if len(names) > _MOST_NAMES:
        yield Hit(1, 1, f"{len(names)} names in __all__ (at most {_MOST_NAMES})", door.path)
    origins = {item.alias: item for item in door.imports}
    for name in names:
        item = origins.get(name)
        home = member.by_module.get(item.module) if item else None
        if item and home and not documented(home, item.name):
            yield Hit(item.node.lineno, 1, f"{name} has no docstring where it is defined ({item.module})", door.path)


def documented(file: SourceFile, name: str) -> bool:
    """Whether a name of a module has a docstring (for values: the text below the assignment)."""
    for position, node in enumerate(file.tree.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return bool(ast.get_docstring(node))
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            below = file.tree.body[position + 1] if position + 1 < len(file.tree.body) else None
            return isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    return True


def star_import(file: SourceFile) -> Iterator[Hit]:
    """Imports of everything."""
    for item in file.imports:
        if item.name == "*":
            yield file.hit(item.node, f"from {item.module} import *")


def chained(project: Project) -> Iterator[Hit]:
    """Names imported from a module that only imported them itself."""
    for file in project.modules.values():
        for item in file.imports:
            home = project.modules.get(item.module) if item.name not in ("", "*") else None
            if home is None or home.member is not file.member or item.name in home.defined:
                continue
            if item.target in project.modules:
                continue
            origin = next((found for found in home.imports if found.alias == item.name), None)
            if _is_door(home, item.name):
                continue
            if origin and origin.module.split(".")[0] == home.member.import_name:
                message = f"{item.name} is defined in {origin.module}, not in {item.module}"
                yield Hit(item.node.lineno, item.node.col_offset + 1, message, file.path)


def _is_door(file: SourceFile, name: str) -> bool:
    """Whether a package offers a name of its own submodules on purpose."""
    origin = next((item for item in file.imports if item.alias == name), None)
    own = origin is not None and origin.module.startswith(f"{file.module}.")
    return file.is_package and own and name in file.exported


L07 = Rule(
    "L07",
    "A module has no docstring",
    "The first line of a module is how a reader decides whether to read on.",
    "write one sentence that says what the module is for.",
    "LIMIT = 3\n",
    '"""Limits of the outside thing."""\n\nLIMIT = 3\n',
    file_check=no_docstring,
)
L09 = Rule(
    "L09",
    "A door is too wide, or offers what nobody explained",
    "Every name of a door is a promise that has to be kept for years.",
    "export at most a dozen names, each with a docstring; leave the rest inside.",
    "thirteen names in __all__\n",
    "twelve names in __all__\n",
    member_check=wide_door,
)
L11 = Rule(
    "L11",
    "Star import or re-export chain",
    "A name that has two addresses is found by search in neither.",
    "import the name from the module that defines it.",
    "from decimal import *\n",
    "from decimal import Decimal\n",
    areas=("source", "tests"),
    file_check=star_import,
    project_check=chained,
)

RULES = (L07, L09, L11)
