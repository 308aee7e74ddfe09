"""One id per request, everywhere: taken from a trustworthy header, else made here."""

import os
import re
from contextvars import ContextVar

HEADER = b"x-correlation-id"
ALTERNATIVE = b"x-request-id"

_VALID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

correlation_id: ContextVar[str] = ContextVar("fsp_correlation_id", default="")
"""The id of the request that this task works for; empty outside of one."""


def accept(value: bytes | None) -> str:
    """The caller's id when it is short and harmless, else a new one of 128 bits."""
    if value is not None and _VALID.fullmatch(value):
        return value.decode("ascii")
    return os.urandom(16).hex()
