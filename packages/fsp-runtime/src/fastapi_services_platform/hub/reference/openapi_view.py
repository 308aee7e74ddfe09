"""An OpenAPI document as a page shows it: operations by tag, with parameters, bodies and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH = 8

Document = Mapping[str, Any]  # Any: OpenAPI is JSON of many shapes


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    place: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``example`` is JSON made from its schema, or empty."""

    status: str
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    parameters: tuple[Parameter, ...]
    body: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    operations: tuple[Operation, ...]


def groups_of(document: Document) -> list[Group]:
    """Operations grouped by their first tag, in order of appearance."""
    groups: dict[str, list[Operation]] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                tag = (operation.get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(document, path, method, operation))
    return [Group(name, tuple(operations)) for name, operations in groups.items()]


def example_of(document: Document, schema: Document, depth: int = 0) -> object:
    """A value that fits a schema: its example, its default, or one made from its type."""
    if depth > _DEPTH:
        return None
    if "$ref" in schema:
        return example_of(document, _resolve(document, schema["$ref"]), depth + 1)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return example_of(document, schema[key][0], depth + 1)
    return _by_type(document, schema, depth)


def _by_type(document: Document, schema: Document, depth: int) -> object:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: example_of(document, part, depth + 1) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(document, schema.get("items", {}), depth + 1)]
    simple: dict[object, object] = {"integer": 0, "number": 0.0, "boolean": True, "null": None}
    return simple.get(kind, str(schema.get("format", "string")))


def _operation(document: Document, path: str, method: str, operation: Document) -> Operation:
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '') or 'root'}",
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        deprecated=bool(operation.get("deprecated", False)),
        parameters=tuple(_parameter(document, item) for item in operation.get("parameters", ())),
        body=_content(document, operation.get("requestBody", {})),
        answers=tuple(
            Answer(status, answer.get("description", ""), _content(document, answer))
            for status, answer in operation.get("responses", {}).items()
        ),
    )


def _parameter(document: Document, item: Document) -> Parameter:
    schema = item.get("schema", {})
    kinds = [part.get("type", "") for part in schema.get("anyOf", [schema])]
    kind = " or ".join(str(kind) for kind in kinds if kind and kind != "null")
    return Parameter(item["name"], item["in"], kind, bool(item.get("required")), item.get("description", ""))


def _content(document: Document, holder: Document) -> str:
    for media, content in holder.get("content", {}).items():
        if media.endswith("json") and content.get("schema"):
            return json.dumps(example_of(document, content["schema"]), indent=2, ensure_ascii=False)
        if content.get("schema"):
            return f"{media}\n{json.dumps(example_of(document, content['schema']), indent=2, ensure_ascii=False)}"
    return ""


def _resolve(document: Document, reference: str) -> Document:
    found: Any = document  # Any: each step may be of another shape
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return found if isinstance(found, Mapping) else {}
