"""Time-ordered identifiers (UUID version 7, RFC 9562 §5.7)."""

import secrets
import time
from uuid import UUID


def uuid7() -> UUID:
    """A new UUID whose first 48 bits are the milliseconds since 1970, the rest random."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
