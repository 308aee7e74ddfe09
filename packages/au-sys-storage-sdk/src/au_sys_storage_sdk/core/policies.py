"""What a namespace allows to callers from outside: reach, sizes, times, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from au_sys_storage_sdk.core.documents.models import MAX_VALUE
from au_sys_storage_sdk.core.errors import ConditionRequired, InvalidInput, OutOfReach, TooLarge
from au_sys_storage_sdk.core.preconditions import Condition

PLATFORM_ONLY = ("identity", "audit", "settings", "storage")
"""Namespaces that start like this are the platform's own; no right opens them from outside."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of one namespace. Sizes in bytes, times in seconds; ``None`` sets no bound."""

    max_value: int = MAX_VALUE
    max_ttl: float | None = None
    conditional: bool = False
    max_blob: int | None = None

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
