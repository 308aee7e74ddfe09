"""JSON Schema (draft 2020-12) as a rule of a namespace: what does not fit is not stored."""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema_rs
import msgspec

from au_sys_storage_sdk.core.errors import InvalidInput
from au_sys_storage_sdk.core.policies import Shape


def shape_of(schema: Mapping[str, object], namespace: str) -> Shape:
    """A check of JSON text against a schema. References lead to places in the schema itself, never to the network.

    Raises:
        InvalidInput: it is no JSON Schema.
    """
    try:
        validator = jsonschema_rs.validator_for(dict(schema), retriever=_nowhere)
    except ValueError as error:
        raise InvalidInput(
            "STORAGE_NAMESPACES", f"the schema of {namespace!r} is not valid ({str(error)[:200]})", "mend the schema"
        ) from error

    def check(text: bytes) -> None:
        try:
            validator.validate(msgspec.json.decode(text))
        except jsonschema_rs.ValidationError as error:
            place = "/".join(str(step) for step in error.instance_path)
            raise InvalidInput(
                f"value/{place}".rstrip("/"), error.message[:300], "send what the namespace's schema describes"
            ) from None

    return check


def _nowhere(uri: str) -> dict[str, object]:
    raise ValueError(f"{uri} is outside the schema")
