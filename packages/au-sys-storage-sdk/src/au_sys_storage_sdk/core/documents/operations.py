"""The steps that an atomic commit is made of, and what each of them answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from au_sys_storage_sdk.core.address import Space
from au_sys_storage_sdk.core.preconditions import Condition

MAX_OPERATIONS = 1000
MAX_COMMIT_BYTES = 8 * 1024 * 1024

Sealer: TypeAlias = Callable[[int], bytes]
"""Makes the stored bytes once the version is known, so that they can be bound to it."""


class Check(msgspec.Struct, frozen=True):
    """Only a condition; answers the version found."""

    space: Space
    key: str
    condition: Condition


class Put(msgspec.Struct, frozen=True):
    """Store a value; answers the new version. ``ttl``: milliseconds from the commit; ``expires``: a point in time."""

    space: Space
    key: str
    value: bytes | Sealer
    condition: Condition = None
    ttl: int | None = None
    schema: int = 1
    codec: int = 0
    key_generation: int = 0
    expires: int | None = None


class Delete(msgspec.Struct, frozen=True):
    """Remove a document; answers the sequence of the removal, or ``None`` when there was nothing."""

    space: Space
    key: str
    condition: Condition = None


class Increment(msgspec.Struct, frozen=True):
    """Add to a whole number (absent counts as 0); answers the new version. The sum is in :attr:`Outcome.value`."""

    space: Space
    key: str
    by: int = 1


class Emit(msgspec.Struct, frozen=True):
    """Put an event into the change feed without storing a document; answers its sequence."""

    space: Space
    key: str
    data: bytes


Operation: TypeAlias = Check | Put | Delete | Increment | Emit


class Outcome(msgspec.Struct, frozen=True):
    """What one operation did: its version or sequence (``None``: nothing there), the sum of an increment, whether the
    document is new.
    """

    version: int | None
    value: int | None = None
    created: bool = False


def weight(operation: Operation) -> int:
    """Bytes that an operation carries."""
    if isinstance(operation, Put):
        return len(operation.value) if isinstance(operation.value, bytes) else 1024
    return len(operation.data) if isinstance(operation, Emit) else 0
