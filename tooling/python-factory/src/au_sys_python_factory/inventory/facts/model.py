"""What a fact is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Fact:
    """Something that a line says; ``certain`` is false when only running the code would tell for sure."""

    kind: str
    path: str
    line: int
    what: str
    certain: bool = True
