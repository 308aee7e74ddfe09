"""Setting: what may be set, how, and which direction is the weaker one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Source = Literal["environment", "runtime", "default"]
Weaker = Literal["higher", "lower", "true", "false"] | tuple[str, ...]
"""Which change lowers the guard: a greater or smaller number, a switch, or the later one of two choices."""

HIDDEN = "********"
"""Stands for a secret that is set."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``given`` is its value without anything chosen at run time: of the environment, or the default.

    ``fixed`` ones are read at the start only. ``least`` and ``most`` bound numbers.
    """

    name: str
    type: str
    description: str
    given: object = field(repr=False)
    default: object = field(repr=False)
    fixed: bool = False
    in_environment: bool = False
    secret: bool = False
    weaker: Weaker | None = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def pinned(self) -> bool:
        """Whether it cannot be changed at run time."""
        return self.fixed or self.in_environment

    def weakened(self, before: object, after: object) -> bool:
        """Whether a change lowers the guard."""
        if before == after or self.weaker is None:
            return False
        if isinstance(self.weaker, tuple):
            return self.weaker.index(str(after)) > self.weaker.index(str(before))
        if self.weaker in ("true", "false"):
            return after is (self.weaker == "true")
        if self.weaker == "lower" and before is None:  # without end
            return True
        if not isinstance(before, int | float) or not isinstance(after, int | float):
            return False
        return after > before if self.weaker == "higher" else after < before


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting with its value as it may be shown."""

    setting: Setting
    value: object
    default: object
    source: Source


@dataclass(frozen=True, slots=True)
class ShownSettings:
    """All settings; ``version`` grows with every change."""

    items: tuple[ShownSetting, ...]
    version: int
    values: Mapping[str, object] = field(repr=False)


def masked(value: object, secret_fields: frozenset[str]) -> object:
    """The same value without what is secret inside its objects."""
    if isinstance(value, list):
        return [masked(item, secret_fields) for item in value]
    if isinstance(value, dict):
        return {
            name: HIDDEN if name in secret_fields and inner else masked(inner, secret_fields)
            for name, inner in value.items()
        }
    return value


def unmasked(value: object, before: object, secret_fields: frozenset[str]) -> object:
    """A list of named objects whose masked secrets are those of the object of that name before."""
    if not isinstance(value, list):
        return value
    known = {item.get("name"): item for item in before if isinstance(item, dict)} if isinstance(before, list) else {}
    return [
        {
            name: known.get(item.get("name"), {}).get(name, "") if name in secret_fields and inner == HIDDEN else inner
            for name, inner in item.items()
        }
        if isinstance(item, dict)
        else item
        for item in value
    ]
