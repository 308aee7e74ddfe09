"""The wire shape of one step of a batch or transaction."""

from typing import Annotated, Any, Literal

import msgspec

from au_sys_storage_sdk.core.documents.operations import MAX_OPERATIONS
from au_sys_storage_sdk.core.preconditions import ABSENT, Condition

Kind = Literal["get", "put", "delete", "check", "increment", "emit"]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``if_match``: a version, or ``"absent"``. ``ttl``: seconds. ``namespace`` is for transactions."""

    op: Kind
    key: str
    namespace: str = ""
    value: Any = None  # Any: JSON
    if_match: int | Literal["absent"] | None = None
    ttl: float | None = None
    by: int = 1
    schema: Annotated[int, msgspec.Meta(ge=1, lt=2**31)] | None = None
    expires: Annotated[int, msgspec.Meta(ge=1, lt=2**53)] | None = None


class Batched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The steps of one request, at most 1,000."""

    items: list[Step]

    def __post_init__(self) -> None:
        if len(self.items) > MAX_OPERATIONS:
            raise ValueError(f"{len(self.items)} items are over the limit of {MAX_OPERATIONS}")


def condition_of(step: Step) -> Condition:
    """The condition that a step states."""
    return ABSENT if step.if_match == "absent" else step.if_match


_VALUE = {"value": {}, "if_match": {"oneOf": [{"type": "integer"}, {"const": "absent"}]}, "ttl": {"type": "number"}}


def _schema(kinds: list[str], extra: dict[str, object]) -> dict[str, object]:
    properties: dict[str, object] = {"op": {"enum": kinds}, "key": {"type": "string"}, **_VALUE, **extra}
    item = {"type": "object", "required": ["op", "key"], "properties": properties, "additionalProperties": False}
    items = {"type": "array", "maxItems": MAX_OPERATIONS, "items": item}
    return {"type": "object", "required": ["items"], "properties": {"items": items}, "additionalProperties": False}


BATCH = _schema(["get", "put", "delete"], {})
TRANSACTION = _schema(
    ["check", "put", "delete", "increment", "emit"],
    {
        "namespace": {"type": "string"},
        "by": {"type": "integer"},
        "schema": {"type": "integer", "minimum": 1, "description": "The schema number that the value has"},
        "expires": {"type": "integer", "minimum": 1, "description": "Unix ms at which it is gone, instead of ttl"},
    },
)
