"""Teaches schemathesis to send a part of an upload, which is plain bytes."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/partial-upload")
def plain_bytes(_context: Any, value: Any) -> bytes:  # Any: schemathesis' own types and whatever it made up
    """The value as bytes, whatever it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
