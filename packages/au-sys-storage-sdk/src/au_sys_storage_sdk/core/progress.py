"""How long work tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is moved, how many so far, and of how many (0: nobody knows)."""

    def __call__(self, what: str, number: int, total: int = 0) -> None: ...
