"""The contributed tools with the schema of their operations, taken from the OpenAPI document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON schemas

from fastapi_services_platform.capability.contribution import McpTool
from fastapi_services_platform.engine.contributed import operation_of
from fastapi_services_platform.engine.inventory import Inventory
from fastapi_services_platform.http.permissions import effective_reversibility
from fastapi_services_platform.http.routing import RouteEntry

Schema = dict[str, Any]  # Any: as above

_COMPONENTS = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with the operation behind it; ``in_path`` and ``in_query``: the arguments that go there."""

    offered: McpTool
    entry: RouteEntry
    method: str
    path: str
    in_path: frozenset[str]
    in_query: frozenset[str]
    has_body: bool
    schema: Schema

    def shown(self) -> Schema:
        """The tool as the protocol lists it."""
        lasting = effective_reversibility(self.entry.endpoint, self.method, self.entry.owner.reversibility)
        hints = {"readOnlyHint": self.method in ("GET", "HEAD"), "destructiveHint": lasting == "irreversible"}
        return {
            "name": self.offered.name,
            "description": self.offered.summary,
            "inputSchema": self.schema,
            "annotations": hints,
        }


def tools(inventory: Inventory, document: Mapping[str, Any]) -> dict[str, Tool]:  # Any: OpenAPI
    """Every tool by its name; ``document``: the platform's OpenAPI document."""
    operations = {
        operation["operationId"]: (path, method.upper(), operation)
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    found: dict[str, Tool] = {}
    for owner, offered in inventory.mcp_tools:
        leads_to = operation_of(offered, owner, inventory)
        if leads_to is None:
            continue
        entry, method = leads_to
        path, method, operation = operations.get(offered.operation, (entry.path, method, {}))
        found[offered.name] = _tool(offered, entry, method, path, operation, document)
    return found


def _tool(
    offered: McpTool, entry: RouteEntry, method: str, path: str, operation: Schema, document: Mapping[str, Any]
) -> Tool:  # Any: OpenAPI
    properties: Schema = {}
    required: list[str] = []
    places: dict[str, set[str]] = {"path": set(), "query": set()}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] in places:
            places[parameter["in"]].add(parameter["name"])
            properties[parameter["name"]] = {**parameter["schema"], **_described(parameter)}
            required += [parameter["name"]] if parameter.get("required") else []
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    whole = _resolved(body, document) if body is not None else {}
    properties |= whole.get("properties", {})
    required += whole.get("required", ())
    schema: Schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    definitions = _definitions(schema, document)
    if definitions:
        schema["$defs"] = definitions
    in_path, in_query = (frozenset(places[place]) for place in ("path", "query"))
    return Tool(offered, entry, method, path, in_path, in_query, body is not None, _moved(schema))


def _described(parameter: Schema) -> Schema:
    return {"description": parameter["description"]} if parameter.get("description") else {}


def _resolved(schema: Schema, document: Mapping[str, Any]) -> Schema:  # Any: OpenAPI
    reference = schema.get("$ref", "")
    if not reference.startswith(_COMPONENTS):
        return schema
    found: Schema = document["components"]["schemas"][reference.removeprefix(_COMPONENTS)]
    return found


def _definitions(schema: Schema, document: Mapping[str, Any]) -> Schema:  # Any: OpenAPI
    """Everything that a schema refers to, directly or through others."""
    known: Schema = document.get("components", {}).get("schemas", {})
    found: Schema = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in found and name in known:
            found[name] = known[name]
            waiting += _references(known[name])
    return found


def _references(part: object) -> Iterable[str]:
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith(_COMPONENTS):
            yield reference.removeprefix(_COMPONENTS)
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _moved(part: Any) -> Any:  # Any: JSON
    """The same with references to where a tool's own definitions are."""
    if isinstance(part, dict):
        return {
            key: value.replace(_COMPONENTS, "#/$defs/") if key == "$ref" and isinstance(value, str) else _moved(value)
            for key, value in part.items()
        }
    return [_moved(inner) for inner in part] if isinstance(part, list) else part
