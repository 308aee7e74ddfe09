"""What a namespace allows to callers from outside: reach, callers, values, sizes, times, conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from au_sys_storage_sdk.core.documents.models import MAX_VALUE
from au_sys_storage_sdk.core.errors import ConditionRequired, InvalidInput, NotPermitted, OutOfReach, TooLarge
from au_sys_storage_sdk.core.preconditions import Condition

PLATFORM_ONLY = ("identity", "audit", "settings", "storage")
"""Namespaces that start like this are the platform's own; no right opens them from outside."""

Shape: TypeAlias = Callable[[bytes], None]
"""Raises ``InvalidInput`` when JSON text does not have the shape that a namespace demands."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of one namespace. Sizes in bytes, times in seconds; ``None`` sets no bound.

    ``readers`` and ``writers`` are patterns (``urn:fsp:app:*``) of callers; ``None`` admits everybody with the right.
    ``encrypted``: documents are sealed (``True``: without keys nothing starts), or kept as they come (``False``).
    """

    max_value: int = MAX_VALUE
    max_ttl: float | None = None
    conditional: bool = False
    max_blob: int | None = None
    readers: tuple[str, ...] | None = None
    writers: tuple[str, ...] | None = None
    shape: Shape | None = None
    encrypted: bool | None = None

    def admit(self, namespace: str, size: int, ttl: float | None, condition: Condition) -> float | None:
        """Check a write; the time to live it gets.

        Raises:
            TooLarge: the value is over the namespace's limit.
            InvalidInput: the time to live is over the cap.
            ConditionRequired: the write states no condition and must.
        """
        self.demand(namespace, condition)
        if size > self.max_value:
            raise TooLarge("document", self.max_value, size)
        if self.max_ttl is None:
            return ttl
        if ttl is not None and ttl > self.max_ttl:
            raise InvalidInput(
                "ttl", f"{ttl} seconds is over the cap of {namespace!r}", f"ask for at most {self.max_ttl}"
            )
        return self.max_ttl if ttl is None else ttl

    def demand(self, namespace: str, condition: Condition) -> None:
        """Raise ``ConditionRequired`` when a write states no condition and must."""
        if self.conditional and condition is None:
            raise ConditionRequired(namespace)

    def fits(self, text: bytes) -> None:
        """Raise ``InvalidInput`` when JSON text is not of the shape that the namespace demands."""
        if self.shape is not None:
            self.shape(text)

    def permit(self, namespace: str, caller: str, *, writes: bool) -> None:
        """Raise ``NotPermitted`` when the rules name other callers. Who may write may read as well."""
        if self.readers is None and self.writers is None:
            return
        if self.writers is not None and _named(caller, self.writers):
            return
        named = self.writers if writes else self.readers
        if named is not None and not _named(caller, named):
            raise NotPermitted(namespace, "change" if writes else "read")


def _named(caller: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(caller, pattern) for pattern in patterns)


class Policies:
    """The policy of each namespace, by the first pattern (``notes.*``) that fits its name."""

    def __init__(self, rules: Mapping[str, Policy] | None = None, default: Policy | None = None) -> None:
        self._rules = tuple((rules or {}).items())
        self._default = default or Policy()

    def of(self, namespace: str) -> Policy:
        """The rules of a namespace. Raises ``OutOfReach`` for the platform's own."""
        if namespace.startswith(PLATFORM_ONLY):
            raise OutOfReach(namespace)
        return next((policy for pattern, policy in self._rules if fnmatchcase(namespace, pattern)), self._default)

    def in_reach(self, namespace: str) -> bool:
        """Whether callers from outside may know of the namespace."""
        return not namespace.startswith(PLATFORM_ONLY)

    def seals(self, namespace: str) -> bool:
        """Whether documents are sealed when there are keys; the platform's own always are."""
        return not self.in_reach(namespace) or self.of(namespace).encrypted is not False

    @property
    def demand_encryption(self) -> tuple[str, ...]:
        """The patterns whose namespaces may only be kept sealed."""
        return tuple(pattern for pattern, policy in self._rules if policy.encrypted)
