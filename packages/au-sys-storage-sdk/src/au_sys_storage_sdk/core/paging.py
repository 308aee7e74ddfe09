"""Cursor, limit and page: the cursor is the last key, so it stays valid under writes and across backends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from au_sys_storage_sdk.core.errors import InvalidInput

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in key order. ``after`` is the cursor of the next page, ``None`` on the last one."""

    items: tuple[T, ...]
    after: str | None = None


def valid_limit(limit: int) -> int:
    """The limit itself, when it is 1 to 1,000.

    Raises:
        InvalidInput: it is not.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput("limit", f"{limit} is out of range", f"ask for 1 to {MAX_LIMIT} items")
    return limit
