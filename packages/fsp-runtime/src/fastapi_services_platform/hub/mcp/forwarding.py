"""A call of a tool is a request to its operation, by the same caller, through the same door.

So everything that holds for the request holds for the tool: credential, scopes, permission, custody, proofs that are
asked of machines, limits, audit. Nothing is checked twice or otherwise.
"""

from collections.abc import Mapping
from typing import Any, Final  # Any: JSON
from urllib.parse import quote, unquote, urlencode

import orjson
from starlette.types import Message, Scope

from fastapi_services_platform.http.door.correlation import ALTERNATIVE, HEADER
from fastapi_services_platform.http.edge import Edge
from fastapi_services_platform.http.exchange import exchange_of
from fastapi_services_platform.hub.mcp.protocol import INVALID_PARAMS, Wrong
from fastapi_services_platform.hub.mcp.tools import Tool

_OWN: Final = frozenset(
    {b"accept", b"accept-encoding", b"content-length", b"content-type", b"content-encoding", b"transfer-encoding",
     b"expect", b"mcp-protocol-version", b"mcp-method", b"mcp-name", HEADER, ALTERNATIVE}
)  # fmt: skip
_MOST = 1_000_000
"""Bytes of an answer that a model could still read."""


async def called(edge: Edge, outer: Scope, tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON
    """What the operation answers, as the result of the tool.

    Raises:
        Wrong: an argument is unknown, one of the path is missing, or it leads to another operation.
    """
    scope, body = _request(outer, tool, arguments)
    found = edge.index.find("http", tool.method, scope["path"]) if edge.index is not None else None
    if found is None or found.entry is not tool.entry:
        raise Wrong(INVALID_PARAMS, f"the arguments of {tool.offered.name} make a path that leads to another operation")
    answer = _Answer(body)
    await edge(scope, answer.receive, answer.send)
    return answer.result()


def _request(outer: Scope, tool: Tool, arguments: Mapping[str, Any]) -> tuple[Scope, bytes]:  # Any: JSON
    unknown = sorted(arguments.keys() - tool.schema["properties"].keys())
    if unknown:
        raise Wrong(INVALID_PARAMS, f"{tool.offered.name} has no argument {', '.join(unknown)}")
    path = tool.path
    for name in tool.in_path:
        if not isinstance(arguments.get(name), str | int) or arguments[name] == "":
            raise Wrong(INVALID_PARAMS, f"{tool.offered.name} needs the argument {name}")
        path = path.replace(f"{{{name}}}", quote(str(arguments[name]), safe=""))
    asked = [(name, _text(arguments[name])) for name in sorted(tool.in_query & arguments.keys())]
    rest = {name: value for name, value in arguments.items() if name not in tool.in_path | tool.in_query}
    body = orjson.dumps(rest) if tool.has_body else b""
    headers = [(name, value) for name, value in outer["headers"] if name not in _OWN]
    headers.append((HEADER, exchange_of(outer).correlation_id.encode()))
    headers += [(b"accept", b"application/json"), (b"content-length", str(len(body)).encode())]
    if tool.has_body:
        headers.append((b"content-type", b"application/json"))
    kept = {key: outer[key] for key in ("type", "asgi", "http_version", "scheme", "server", "client") if key in outer}
    scope = {
        **kept, "method": tool.method, "path": unquote(path), "raw_path": path.encode(), "root_path": "",
        "query_string": urlencode(asked).encode(), "headers": headers, "state": dict(outer.get("state", {})),
    }  # fmt: skip
    return scope, body


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


class _Answer:
    """Takes what an application sends; gives it the body, once."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 500
        self._said = bytearray()

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif message["type"] == "http.response.body" and len(self._said) <= _MOST:
            self._said += message.get("body", b"")

    def result(self) -> dict[str, Any]:  # Any: JSON
        if len(self._said) > _MOST:
            return _told("The answer is too large for a tool. Ask for less.", failed=True)
        text = self._said.decode("utf-8", "replace")
        result = _told(text or f"Done ({self._status}).", failed=self._status >= 400)
        try:
            known = orjson.loads(self._said)
        except orjson.JSONDecodeError:
            return result
        return {**result, "structuredContent": known} if isinstance(known, dict) else result


def _told(text: str, *, failed: bool) -> dict[str, Any]:  # Any: JSON
    return {"content": [{"type": "text", "text": text}], "isError": failed}
