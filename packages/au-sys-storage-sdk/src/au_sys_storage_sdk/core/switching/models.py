"""A switch on its way: its states, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Phase(Enum):
    """Where a switch stands. Up to ``TAILING`` it can be given up without a trace; ``FLIPPED`` it is done."""

    COPYING = "copying"
    TAILING = "tailing"
    FLIPPED = "flipped"
    ABORTED = "aborted"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Nothing more will happen."""
        return self in {Phase.FLIPPED, Phase.ABORTED, Phase.FAILED}


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a switch. Sequences are the source's; ``pause`` is how long writers waited, in seconds.

    ``behind``: changes that the target does not have yet. ``compared``: documents found equal on both sides.
    ``rate``: documents a second that are copied at most. ``rollback_until``: how long (Unix ms) the backend before is
    kept in step.
    """

    operation: str
    source: str
    target: str
    phase: Phase
    since: int
    reached: int
    copied: int = 0
    pause: float | None = None
    reason: str = ""
    behind: int = 0
    compared: int = 0
    rollback_until: int | None = None
    rate: float | None = None
