"""One message of the protocol: what may be asked, in which of its two ways of asking.

Since 2026-07-28 every request says its version and what the client can do; before, a handshake did (which needs no
memory on this side either). Both are JSON-RPC 2.0 in the body of a POST, answered in its answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final  # Any: JSON

import orjson

LATEST: Final = "2026-07-28"
HANDSHAKE: Final = ("2025-11-25", "2025-06-18", "2025-03-26")
"""Versions that begin with ``initialize``, the newest first."""

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022

_VERSION_HEADER: Final = "mcp-protocol-version"
_VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
_CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
_STATUS: Final[Mapping[int, int]] = {METHOD_NOT_FOUND: 404}


class Wrong(Exception):
    """A message that is not served, as the error that JSON-RPC gives it."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Asked:
    """A message; ``id`` is ``None`` for a notification. ``modern``: it speaks the way of 2026-07-28."""

    method: str
    params: Mapping[str, Any]  # Any: JSON
    id: str | int | None
    modern: bool


def asked(body: bytes, headers: Mapping[str, str]) -> Asked:
    """The message in a body.

    Raises:
        Wrong: it is no message, or says two things about its version or method, or speaks a version that is unknown.
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Wrong(PARSE_ERROR, f"the body is no JSON: {error}") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        raise Wrong(INVALID_REQUEST, "the body is no JSON-RPC 2.0 request")
    params, identifier = message.get("params", {}), message.get("id")
    if not isinstance(params, dict) or isinstance(identifier, bool) or not isinstance(identifier, str | int | None):
        raise Wrong(INVALID_REQUEST, "params is no object, or id neither text nor number")
    meta = params.get("_meta")
    modern = isinstance(meta, dict) and _VERSION_KEY in meta
    if isinstance(meta, dict) and modern:
        _check_modern(message["method"], params, meta, headers)
    elif headers.get(_VERSION_HEADER, HANDSHAKE[0]) not in HANDSHAKE:
        raise Wrong(INVALID_PARAMS, f"params._meta does not say {_VERSION_KEY} and {_CAPABILITIES_KEY}")
    return Asked(message["method"], params, identifier, modern)


def _check_modern(method: str, params: Mapping[str, Any], meta: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Headers repeat what proxies route by; they and the body say the same. Any: JSON."""
    version = meta[_VERSION_KEY]
    if not isinstance(meta.get(_CAPABILITIES_KEY), dict) or not isinstance(version, str):
        raise Wrong(INVALID_PARAMS, f"params._meta does not say {_VERSION_KEY} and {_CAPABILITIES_KEY}")
    repeated = {_VERSION_HEADER: version, "mcp-method": method}
    if method == "tools/call" and isinstance(params.get("name"), str):
        repeated["mcp-name"] = params["name"]
    for header, value in repeated.items():
        if headers.get(header) != value:
            raise Wrong(HEADER_MISMATCH, f"the header {header} does not say what the body says")
    if version != LATEST:
        raise Wrong(UNSUPPORTED_VERSION, "Unsupported protocol version", {"supported": [LATEST], "requested": version})


def result(request: Asked, value: Mapping[str, Any]) -> bytes:  # Any: JSON
    """The answer to a request."""
    complete = {**value, "resultType": "complete"} if request.modern else value
    return orjson.dumps({"jsonrpc": "2.0", "id": request.id, "result": complete})


def error(wrong: Wrong, identifier: str | int | None = None) -> tuple[int, bytes]:
    """Status and body of a refusal."""
    said: dict[str, object] = {"code": wrong.code, "message": wrong.message}
    if wrong.data is not None:
        said["data"] = wrong.data
    return _STATUS.get(wrong.code, 400), orjson.dumps({"jsonrpc": "2.0", "id": identifier, "error": said})
