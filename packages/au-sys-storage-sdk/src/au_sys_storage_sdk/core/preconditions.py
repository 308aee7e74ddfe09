"""What must hold before a write: any state, nothing stored, or a known version."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias

from au_sys_storage_sdk.core.errors import Conflict


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""As ``if_match``: the key must be new."""

Absent: TypeAlias = Literal[_Absent.ABSENT]
Condition: TypeAlias = int | Absent | None
"""A version, :data:`ABSENT`, or ``None`` for no condition."""


def holds(condition: Condition, actual: int | None) -> bool:
    """Whether a stored version (``None``: nothing stored) satisfies the condition."""
    if condition is None:
        return True
    if condition is ABSENT:
        return actual is None
    return actual == condition


def require(condition: Condition, actual: int | None, namespace: str, key: str) -> None:
    """Raise :class:`~au_sys_storage_sdk.core.errors.Conflict` unless the condition holds."""
    if not holds(condition, actual):
        raise Conflict(namespace, key, None if condition is ABSENT else condition, actual)
