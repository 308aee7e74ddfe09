"""The steps of a commit as ``POST /storage:transaction`` takes them, and its results."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import msgspec

from au_sys_storage_sdk.adapters.http.answers import not_storage
from au_sys_storage_sdk.core.documents.operations import Check, Delete, Emit, Increment, Operation, Outcome, Put
from au_sys_storage_sdk.core.errors import Unsupported
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition


class _Results(msgspec.Struct):
    """The answer."""

    results: list[_Result]


class _Result(msgspec.Struct):
    """What one step did."""

    version: int | None
    value: int | None = None
    created: bool = False


def encoded(operations: Sequence[Operation]) -> bytes:
    """The body. Raises ``Unsupported`` for sealed values: they are bound to a version that only the server gives."""
    return msgspec.json.encode({"items": [_step(operation) for operation in operations]})


def _step(operation: Operation) -> dict[str, object]:
    step: dict[str, object] = {
        "op": type(operation).__name__.lower(), "namespace": operation.space.namespace, "key": operation.key,
    }  # fmt: skip
    if isinstance(operation, Put):
        step |= _put(operation)
    elif isinstance(operation, Increment):
        step["by"] = operation.by
    elif isinstance(operation, Emit):
        step["value"] = msgspec.Raw(operation.data)
    if isinstance(operation, Put | Delete | Check) and operation.condition is not None:
        step["if_match"] = _condition(operation.condition)
    return step


def _put(operation: Put) -> dict[str, object]:
    if not isinstance(operation.value, bytes) or operation.codec:
        raise Unsupported("http", "values that are sealed on this side; encrypt on the server")
    step: dict[str, object] = {"value": msgspec.Raw(operation.value)}
    if operation.ttl is not None:
        step["ttl"] = operation.ttl / 1000
    if operation.expires is not None:
        step["expires"] = operation.expires
    if operation.schema != 1:
        step["schema"] = operation.schema
    return step


def _condition(condition: Condition) -> int | str | None:
    return "absent" if condition is ABSENT else condition


def idempotent(operations: Sequence[Operation]) -> bool:
    """Whether the commit ends the same however often it is carried out, also for what it answers."""
    return all(isinstance(operation, Put) and operation.condition is None for operation in operations)


def outcomes(response: httpx.Response, number: int) -> list[Outcome]:
    """What each step did. Raises ``Unavailable`` when whoever answered is no storage."""
    try:
        found = msgspec.json.decode(response.content, type=_Results).results
    except msgspec.DecodeError:
        not_storage(response)
    if len(found) != number:
        not_storage(response)
    return [Outcome(result.version, result.value, result.created) for result in found]
