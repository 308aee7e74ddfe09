"""Teaches schemathesis to send a part of an upload, which is plain bytes, and which 5xx an answer may be."""

from typing import Any

import schemathesis


@schemathesis.serializer("application/partial-upload")
def plain_bytes(_context: Any, value: Any) -> bytes:  # Any: schemathesis' own types and whatever it made up
    """The value as bytes, whatever it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.check
def no_fault(_context: Any, response: Any, _case: Any) -> None:  # Any: schemathesis' own types
    """No 5xx but a documented "not now": 502 or 503 as a problem that says when to come back, or what is away."""
    if response.status_code < 500:
        return
    told = response.json() if "problem+json" in "".join(response.headers.get("content-type", [])) else {}
    assert response.status_code in (502, 503), f"{response.status_code}: {response.text[:500]}"
    assert told.get("title"), "a problem without a title"
