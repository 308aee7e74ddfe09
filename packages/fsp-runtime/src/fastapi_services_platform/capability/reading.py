"""Read a manifest out of a wheel's source: what a capability is can be told although its code cannot be imported."""

import ast
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from fastapi_services_platform.capability.manifest import Manifest

_FIELDS = tuple(name for name in Manifest.__dataclass_fields__ if name != "settings")


def read_manifest(point: EntryPoint) -> Manifest | None:
    """The manifest that the class of an entry point declares, as far as it is written with literals.

    No module of the wheel is imported. ``settings`` is a class and stays unknown; a version that is computed is the
    wheel's. ``None`` when nothing is found.
    """
    source = _source_of(point.module)
    if source is None:
        return None
    try:
        text = source.read_text(encoding="utf-8")  # factory: allow Y03 -- only for a wheel that cannot be imported
        tree = ast.parse(text)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    known = _literals(tree.body)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == point.attr:
            return _declared(node, known, point.dist.version if point.dist is not None else "0")
    return None


def _source_of(module: str) -> Path | None:
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    if not rest:
        return Path(spec.origin)
    for place in spec.submodule_search_locations or ():
        file = Path(place).joinpath(*rest)
        for candidate in (file.with_suffix(".py"), file / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _declared(node: ast.ClassDef, known: Mapping[str, object], version: str) -> Manifest | None:
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            names, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            names, value = [statement.target], statement.value
        else:
            continue
        if isinstance(value, ast.Call) and any(isinstance(name, ast.Name) and name.id == "manifest" for name in names):
            return _manifest_of(value, known, version)
    return None


def _manifest_of(call: ast.Call, known: Mapping[str, object], version: str) -> Manifest | None:
    given = dict(zip(_FIELDS, call.args, strict=False)) | {item.arg: item.value for item in call.keywords if item.arg}
    found: dict[str, object] = {}
    for name in _FIELDS:
        if name in given:
            value = _value(given[name], known)
            if value is not None:
                found[name] = value
    found.setdefault("version", version)
    if not all(isinstance(found.get(name), str) for name in ("name", "version", "summary")):
        return None
    return Manifest(**found)  # type: ignore[arg-type]  # the fields were read under their own names


def _literals(body: list[ast.stmt]) -> dict[str, object]:
    known: dict[str, object] = {}
    for statement in body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            value = _value(statement.value, known)
            if isinstance(target, ast.Name) and value is not None:
                known[target.id] = value
    return known


def _value(node: ast.expr, known: Mapping[str, object]) -> object:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Tuple):
        items = [_value(item, known) for item in node.elts]
        return None if None in items else tuple(items)
    try:
        found: object = ast.literal_eval(node)
    except ValueError:
        return None
    return found
