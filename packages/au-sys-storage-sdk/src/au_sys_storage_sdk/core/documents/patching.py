"""Change parts of a JSON value: merge patch (RFC 7396) and JSON patch (RFC 6902)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from au_sys_storage_sdk.core.errors import InvalidInput

JSON = Any  # any JSON value; its shape is only known to whoever stored it


def merge(target: JSON, patch: JSON) -> JSON:
    """The target with the patch laid over it; ``null`` removes a member (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def apply_steps(target: JSON, steps: Sequence[JSON]) -> JSON:
    """The target after all steps of a JSON patch (RFC 6902); the given value is not changed.

    Raises:
        InvalidInput: a step is malformed, its path leads nowhere, or a test fails.
    """
    result = copy.deepcopy(target)
    for number, step in enumerate(steps):
        if not isinstance(step, dict) or not isinstance(step.get("path"), str):
            raise _wrong(number, "it is no object with a path")
        result = _apply(result, step, number)
    return result


def _apply(target: JSON, step: dict[str, JSON], number: int) -> JSON:
    kind, path = step.get("op"), step["path"]
    if kind in {"add", "replace", "test"}:
        if "value" not in step:
            raise _wrong(number, "it has no value")
        return _with_value(target, str(kind), path, step["value"], number)
    if kind == "remove":
        return _removed(target, path, number)
    if kind in {"move", "copy"}:
        source = step.get("from")
        if not isinstance(source, str):
            raise _wrong(number, "it has no from")
        if kind == "move" and path.startswith(source + "/"):
            raise _wrong(number, "a value cannot move into itself")
        value = copy.deepcopy(_found(target, source, number))
        if kind == "move":
            target = _removed(target, source, number)
        return _with_value(target, "add", path, value, number)
    raise _wrong(number, f"{kind!r} is no operation")


def _with_value(target: JSON, kind: str, path: str, value: JSON, number: int) -> JSON:
    if kind == "test":
        if not _equal(_found(target, path, number), value):
            raise _wrong(number, f"the test of {path!r} fails")
        return target
    if kind == "replace":
        _found(target, path, number)
    if path == "":
        return value
    parent, last = _parent(target, path, number)
    if isinstance(parent, dict):
        parent[last] = value
    elif kind == "replace":
        parent[_position(last, len(parent) - 1, number)] = value
    else:
        parent.insert(len(parent) if last == "-" else _position(last, len(parent), number), value)
    return target


def _removed(target: JSON, path: str, number: int) -> JSON:
    _found(target, path, number)
    if path == "":
        return None
    parent, last = _parent(target, path, number)
    del parent[last if isinstance(parent, dict) else _position(last, len(parent) - 1, number)]
    return target


def _found(target: JSON, path: str, number: int) -> JSON:
    for part in _parts(path, number):
        target = _child(target, part, number)
    return target


def _child(target: JSON, part: str, number: int) -> JSON:
    if isinstance(target, dict) and part in target:
        return target[part]
    if isinstance(target, list):
        return target[_position(part, len(target) - 1, number)]
    raise _wrong(number, f"the path has no {part!r}")


def _parent(target: JSON, path: str, number: int) -> tuple[JSON, str]:
    *way, last = _parts(path, number)
    for part in way:
        target = _child(target, part, number)
    if not isinstance(target, dict | list):
        raise _wrong(number, "the path leads through a plain value")
    return target, last


def _parts(path: str, number: int) -> list[str]:
    if path == "":
        return []
    if not path.startswith("/"):
        raise _wrong(number, f"path {path[:60]!r} does not start with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _position(part: str, last: int, number: int) -> int:
    if (
        not (part.isascii() and part.isdigit())
        or (len(part) > 1 and part[0] == "0")
        or len(part) > 9
        or int(part) > last
    ):
        raise _wrong(number, f"{part[:60]!r} is no position in the list")
    return int(part)


def _equal(one: JSON, other: JSON) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _wrong(number: int, problem: str) -> InvalidInput:
    return InvalidInput("patch", f"step {number}: {problem}", "send a valid patch for the stored value")
