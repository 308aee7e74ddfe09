"""From kinds of changes to version numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from packaging.version import Version

Level = Literal["patch", "minor", "major"]
_ORDER: tuple[Level, ...] = ("patch", "minor", "major")


def highest(levels: Iterable[Level]) -> Level:
    """The greatest of some levels; ``patch`` for none."""
    return max(levels, key=_ORDER.index, default="patch")


def next_version(current: Version, level: Level) -> Version:
    """The version after ``current``; below 1.0 a break raises the minor."""
    major, minor, micro = (*current.release, 0, 0)[:3]
    if level == "major" and major > 0:
        return Version(f"{major + 1}.0.0")
    if level in ("major", "minor"):
        return Version(f"{major}.{minor + 1}.0")
    return Version(f"{major}.{minor}.{micro + 1}")


def next_major(version: Version) -> str:
    """The upper bound that lets everything compatible in."""
    return str(version.major + 1)
