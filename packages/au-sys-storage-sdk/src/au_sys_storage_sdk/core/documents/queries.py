"""Questions about the fields of documents: equality, range, one of several, prefix; by key or by the order of a field.

Every backend answers them by going through the namespace, so they are for namespaces of a size that this suits.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from au_sys_storage_sdk.core.documents.models import Document
from au_sys_storage_sdk.core.errors import InvalidInput

T = TypeVar("T")

Scalar: TypeAlias = str | int | float | bool | None
Rank: TypeAlias = tuple[int, Any]  # Any: a number or a text, as the first member says


@dataclass(frozen=True, slots=True)
class Range:
    """At least ``start`` and below ``end``; either may be left out. Numbers and texts are never compared."""

    start: str | float | None = None
    end: str | float | None = None


@dataclass(frozen=True, slots=True)
class In:
    """One of these values."""

    values: Sequence[Scalar]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A text that begins like this."""

    text: str


Test: TypeAlias = Scalar | Range | In | Prefix
Filter: TypeAlias = Mapping[str, Test]
"""What each field has to be; a plain value means equality. ``address.city`` names a field of a field."""

_MISSING = object()


class Query:
    """A checked filter and order over the fields that a namespace declares.

    Raises:
        InvalidInput: a field is not declared, or an order or bound makes no sense.
    """

    def __init__(self, where: Filter, order: str | None, declared: Sequence[str]) -> None:
        self._tests = [(name.split("."), _tester(name, test)) for name, test in where.items()]
        self.backwards = order is not None and order.startswith("-")
        self.order = None if order is None else order.removeprefix("-")
        for name in [*where, *([] if self.order is None else [self.order])]:
            if name not in declared:
                known = ", ".join(declared) or "none"
                raise InvalidInput(
                    "query",
                    f"{name[:80]!r} is not a declared field",
                    f"use one of: {known}; or declare it with fields=",
                )

    def fits(self, value: object) -> bool:
        """Whether a value is asked for."""
        return all(test(_field(value, path)) for path, test in self._tests)

    def first(self, found: Sequence[Document[T]], limit: int) -> list[Document[T]]:
        """The first so many in the order of the field; equal ones by key. What has no such field is left out."""
        path = (self.order or "").split(".")
        ranked = [
            (rank, document.key, document)
            for document in found
            if (rank := _rank(_field(document.value, path))) is not None
        ]
        if not self.backwards:
            return [item[2] for item in heapq.nsmallest(limit, ranked, key=lambda item: item[:2])]
        by_key = sorted(ranked, key=lambda item: item[1])
        return [item[2] for item in heapq.nlargest(limit, by_key, key=lambda item: item[0])]


def _field(value: object, path: Sequence[str]) -> object:
    for name in path:
        value = value.get(name, _MISSING) if isinstance(value, Mapping) else getattr(value, name, _MISSING)
    return value


def _rank(value: object) -> Rank | None:
    """Null, then booleans, numbers, texts; other values have no order."""
    if value is None:
        return (0, 0)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int | float):
        return (2, value)
    return (3, value) if isinstance(value, str) else None


def _tester(name: str, test: Test) -> Callable[[object], bool]:
    if isinstance(test, Prefix):
        return lambda value: isinstance(value, str) and value.startswith(test.text)
    if isinstance(test, Range):
        return _within(name, test)
    if isinstance(test, In):
        ranks = {_known(name, value) for value in test.values}
        return lambda value: _rank(value) in ranks
    wanted = _known(name, test)
    return lambda value: _rank(value) == wanted


def _known(name: str, value: object) -> Rank:
    rank = _rank(value)
    if rank is None:
        raise InvalidInput("query", f"{name!r} cannot be compared with a {type(value).__name__}", "give a scalar")
    return rank


def _within(name: str, test: Range) -> Callable[[object], bool]:
    start, end = (None if bound is None else _known(name, bound) for bound in (test.start, test.end))
    kinds = {bound[0] for bound in (start, end) if bound is not None}
    if len(kinds) != 1:
        raise InvalidInput("query", f"the range of {name!r} has no bound, or two kinds of them", "give two alike")
    (kind,) = kinds

    def within(value: object) -> bool:
        rank = _rank(value)
        if rank is None or rank[0] != kind:
            return False
        return (start is None or rank >= start) and (end is None or rank < end)

    return within
