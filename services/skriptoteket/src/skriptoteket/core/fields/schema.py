"""Check a schema of fields and bring it to its stored normal form.

One grammar serves input, settings and action fields; file fields are allowed in input only.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard

from skriptoteket.core.fields.values import accept_value
from skriptoteket.core.json_values import JsonValue

SchemaName = Literal["input_schema", "settings_schema", "action"]

MAX_FIELDS = 50
MAX_FILE_FIELDS = 5
MAX_OPTIONS = 200
MAX_FILES_PER_FIELD = 20
MAX_TEXT = 65_536
MAX_LABEL = 400

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,10}\Z")
_COMMON = frozenset({"kind", "name", "label", "help", "required"})
_KEYS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"default", "max_length"}),
    "text": frozenset({"default", "max_length"}),
    "integer": frozenset({"default", "min", "max", "step"}),
    "number": frozenset({"default", "min", "max", "step"}),
    "boolean": frozenset({"default"}),
    "date": frozenset({"default", "min", "max"}),
    "enum": frozenset({"options", "default"}),
    "multi_enum": frozenset({"options", "default"}),
    "file": frozenset({"accept", "min", "max", "max_bytes"}),
}


@dataclass(frozen=True, slots=True)
class SchemaIssue:
    """One thing that is wrong in a schema; ``path`` is like ``2.options.0.value``."""

    schema: str
    path: str
    message: str


Say = Callable[[str, str], None]


def check_schema(schema: object, name: SchemaName) -> tuple[SchemaIssue, ...]:
    """Everything that is wrong with a schema; empty when it is good."""
    issues: list[SchemaIssue] = []

    def say(path: str, message: str) -> None:
        issues.append(SchemaIssue(name, path, message))

    if not isinstance(schema, Sequence) or isinstance(schema, str):
        say("", "must be a list of fields")
        return tuple(issues)
    if len(schema) > MAX_FIELDS:
        say("", f"has {len(schema)} fields; at most {MAX_FIELDS} are allowed")
    names: set[str] = set()
    files = 0
    for index, item in enumerate(schema):
        if not isinstance(item, Mapping):
            say(str(index), "must be an object with kind and name")
            continue
        files += item.get("kind") == "file"
        _check_field(index, item, name, names, say)
    if files > MAX_FILE_FIELDS:
        say("", f"has {files} file fields; at most {MAX_FILE_FIELDS} are allowed")
    return tuple(issues)


def normal_form(schema: Sequence[Mapping[str, JsonValue]]) -> tuple[dict[str, JsonValue], ...]:
    """A good schema as it is stored: absent keys omitted, order kept."""
    return tuple({key: value for key, value in item.items() if value is not None} for item in schema)


def _check_field(index: int, item: Mapping[str, object], schema: str, names: set[str], say: Say) -> None:
    kind = item.get("kind")
    keys = _KEYS.get(kind) if isinstance(kind, str) else None
    if keys is None:
        say(f"{index}.kind", f"must be one of {', '.join(_KEYS)}")
        return
    for key in item:
        if key not in keys and key not in _COMMON:
            say(f"{index}.{key}", f"is not known for kind {kind}")
    _check_name(index, item.get("name"), names, say)
    for key in ("label", "help"):
        _check_text(f"{index}.{key}", item.get(key), say)
    if not isinstance(item.get("required", False), bool):
        say(f"{index}.required", "must be true or false")
    if kind == "file":
        _check_file(index, item, schema, say)
        return
    if kind in ("enum", "multi_enum"):
        _check_options(index, item.get("options"), say)
    _check_bounds(index, item, say)
    _check_default(index, item, say)


def _check_name(index: int, name: object, names: set[str], say: Say) -> None:
    if not isinstance(name, str) or _NAME.match(name) is None:
        say(f"{index}.name", "must be 1–64 of a–z, 0–9 and _, beginning with a letter")
    elif name in names:
        say(f"{index}.name", f"{name!r} is used twice")
    else:
        names.add(name)


def _check_text(path: str, value: object, say: Say) -> None:
    if value is None or (isinstance(value, str) and len(value) <= MAX_LABEL):
        return
    texts = list(value.items()) if isinstance(value, Mapping) else []
    if not texts or any(
        key not in ("en", "sv") or not isinstance(text, str) or len(text) > MAX_LABEL for key, text in texts
    ):
        say(path, f"must be a text of at most {MAX_LABEL} characters, or an object with en and sv")


def _check_file(index: int, item: Mapping[str, object], schema: str, say: Say) -> None:
    if schema != "input_schema":
        say(f"{index}.kind", "file fields belong to the input only")
    low, high = item.get("min", 1), item.get("max", 1)
    if not _is_int(low) or not _is_int(high) or not 0 <= low <= high <= MAX_FILES_PER_FIELD or high == 0:
        say(f"{index}.max", f"min and max must be whole numbers with 0 ≤ min ≤ max ≤ {MAX_FILES_PER_FIELD}")
    accept = item.get("accept", ())
    if not isinstance(accept, Sequence) or isinstance(accept, str):
        say(f"{index}.accept", "must be a list of extensions such as .csv")
    else:
        for place, extension in enumerate(accept):
            if not isinstance(extension, str) or _EXTENSION.match(extension) is None:
                say(f"{index}.accept.{place}", "must be an extension in lower case with its dot, such as .csv")
    biggest = item.get("max_bytes")
    if biggest is not None and (not _is_int(biggest) or biggest < 1):
        say(f"{index}.max_bytes", "must be a whole number of bytes above 0")


def _check_options(index: int, options: object, say: Say) -> None:
    if not isinstance(options, Sequence) or isinstance(options, str) or not 1 <= len(options) <= MAX_OPTIONS:
        say(f"{index}.options", f"must be a list of 1–{MAX_OPTIONS} options")
        return
    seen: set[object] = set()
    for place, option in enumerate(options):
        value = option.get("value") if isinstance(option, Mapping) else None
        if not isinstance(value, str) or not value:
            say(f"{index}.options.{place}.value", "is missing; write {value, label}")
        elif value in seen:
            say(f"{index}.options.{place}.value", f"{value!r} is used twice")
        else:
            seen.add(value)
            _check_text(f"{index}.options.{place}.label", option.get("label"), say)


def _check_bounds(index: int, item: Mapping[str, object], say: Say) -> None:
    longest = item.get("max_length")
    if longest is not None and (not _is_int(longest) or not 1 <= longest <= MAX_TEXT):
        say(f"{index}.max_length", f"must be a whole number from 1 to {MAX_TEXT}")
    low, high = item.get("min"), item.get("max")
    for key in ("min", "max", "step"):
        bound = item.get(key)
        bare = {k: v for k, v in item.items() if k not in ("min", "max", "default")}
        if bound is not None and key in _KEYS[str(item["kind"])] and accept_value(bare, bound)[1]:
            say(f"{index}.{key}", f"must be a {item['kind']}")
            return
    numbers = isinstance(low, int | float) and isinstance(high, int | float) and low > high
    dates = isinstance(low, str) and isinstance(high, str) and low > high
    if numbers or dates:
        say(f"{index}.min", "must not be above max")


def _check_default(index: int, item: Mapping[str, object], say: Say) -> None:
    if item.get("default") is None:
        return
    try:
        problem = accept_value(item, item["default"])[1]
    except (TypeError, ValueError, KeyError, AttributeError):
        return  # the field itself is broken, and that has been said
    if problem:
        say(f"{index}.default", problem[1])


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
