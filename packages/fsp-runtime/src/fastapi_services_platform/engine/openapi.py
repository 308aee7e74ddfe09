"""What the platform adds to FastAPI's OpenAPI document: who may call, what can be undone, which problems may come.

FastAPI cannot know what the edge and the problem mappings answer, so it documents only what an endpoint returns.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi_services_platform.capability.contribution import ProblemMapping
from fastapi_services_platform.config.files import OperationIds
from fastapi_services_platform.http.permissions import Access, effective_reversibility
from fastapi_services_platform.http.routing import RouteEntry

Document = dict[str, Any]  # Any: OpenAPI is JSON of many shapes

_METHODS = frozenset({"get", "head", "options", "post", "put", "patch", "delete"})
_READING = frozenset({"get", "head", "options"})
_CONVERTOR = re.compile(r"\{(\w+):\w+\}")
_SCHEMA = "Problem"
_PROBLEM: Document = {
    "title": "Problem",
    "type": "object",
    "description": "RFC 9457; further members tell what can be done about it.",
    "required": ["type", "title", "status", "correlation_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "correlation_id": {"type": "string"},
    },
}


def completed(
    document: Document,
    routes: Iterable[RouteEntry],
    mappings: Mapping[str, tuple[ProblemMapping, ...]],
    ids: OperationIds = "capability_function",
) -> Document:
    """The same document with ``x-permission``, ``x-reversibility``, every status that an operation may answer, and ids
    of the wanted style.

    ``mappings`` are the problems of each capability.
    """
    entries = {
        (_documented(entry.path), method.lower()): entry
        for entry in routes
        if entry.kind == "http"
        for method in entry.methods
    }
    document.setdefault("components", {}).setdefault("schemas", {})[_SCHEMA] = _PROBLEM
    found: list[tuple[Document, RouteEntry, str]] = []
    for path, item in document.get("paths", {}).items():
        for method in sorted(_METHODS & item.keys()):
            entry = entries.get((path, method))
            if entry is not None:
                _complete(item[method], entry, method, mappings.get(entry.owner.name, ()))
                found.append((item[method], entry, method))
    _name(found, ids)
    return document


def _name(found: Sequence[tuple[Document, RouteEntry, str]], ids: OperationIds) -> None:
    """Short ids, in which generated clients name their methods. A route's own id stays, and so does FastAPI's where a
    short one would be there twice.
    """
    wanted: dict[int, str] = {}
    for operation, entry, method in found:
        if getattr(entry.original, "operation_id", None) is None:
            name = getattr(entry.endpoint, "__name__", "")
            short = f"{entry.owner.name}_{name}" if ids == "capability_function" else name
            wanted[id(operation)] = short if len(entry.methods) == 1 else f"{short}_{method}"
    taken = Counter(wanted.get(id(operation), operation.get("operationId")) for operation, _, _ in found)
    for operation, _, _ in found:
        short = wanted.get(id(operation), "")
        if short and taken[short] == 1:
            operation["operationId"] = short


def _complete(operation: Document, entry: RouteEntry, method: str, mapped: tuple[ProblemMapping, ...]) -> None:
    operation["x-permission"] = _asked(entry.access)
    operation["x-reversibility"] = effective_reversibility(entry.endpoint, method, entry.owner.reversibility)
    answers = operation.setdefault("responses", {})
    for status in sorted(_statuses(operation, entry, method) | {mapping.status for mapping in mapped}):
        known = answers.get(str(status))
        if known is None or status == HTTPStatus.UNPROCESSABLE_ENTITY:
            answers[str(status)] = _answer(status, mapped)


def _statuses(operation: Document, entry: RouteEntry, method: str) -> set[int]:
    """What the edge itself may answer."""
    found = {400, 429, 431, 503, 504}
    if not entry.access.public:
        found.add(401)
    if entry.access.permission is not None or method not in _READING:
        found.add(403)  # the permission, or a change without its forgery token
    if entry.parametrised:
        found.add(404)
    if "requestBody" in operation:
        found |= {413, 415} if entry.terms.problem_codes else {413}
    if "requestBody" in operation or operation.get("parameters"):
        found.add(422)
    return found


def _answer(status: int, mapped: tuple[ProblemMapping, ...]) -> Document:
    slugs = [mapping.slug for mapping in mapped if mapping.status == status]
    words = HTTPStatus(status).phrase
    return {
        "description": f"{words}: {', '.join(slugs)}" if slugs else words,
        "content": {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{_SCHEMA}"}}},
    }


def _asked(access: Access) -> str:
    if access.permission is not None:
        return access.permission
    return "public" if access.public else "authenticated"


def _documented(path: str) -> str:
    """The path as FastAPI documents it: without convertors such as ``:path``."""
    return _CONVERTOR.sub(r"{\1}", path)
