"""Time-ordered identifiers (UUID version 7, RFC 9562 §5.7)."""

import secrets
import time
from uuid import UUID

_MILLISECOND = 1_000_000


def uuid7() -> UUID:
    """A new UUID: 48 bits of milliseconds since 1970, 12 bits of the fraction (§6.2 method 3), the rest random."""
    milliseconds, rest = divmod(time.time_ns(), _MILLISECOND)
    fraction = rest * 4096 // _MILLISECOND
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | fraction << 64
    value |= 0x2 << 62 | secrets.randbits(62)
    return UUID(int=value)
