"""One id per request, everywhere: taken from a trustworthy header, else made here."""

import re
from random import getrandbits

HEADER = b"x-correlation-id"
ALTERNATIVE = b"x-request-id"

_VALID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


def accept(value: bytes | None) -> str:
    """The caller's id when it is short and harmless, else a new one of 128 bits."""
    if value is not None and _VALID.fullmatch(value):
        return value.decode("ascii")
    return f"{getrandbits(128):032x}"
