"""Progress for people: a live line per step on a terminal, a plain line elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Step:
    """A step under way; what it shows at its end is set by its body."""

    title: str
    result: str = ""


@dataclass(slots=True)
class Progress:
    """Writes steps to a stream (stderr: stdout belongs to results)."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False

    @property
    def live(self) -> bool:
        """Whether a line may be overwritten."""
        return self.stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the body works, and how long it took."""
        step, started = Step(title), time.monotonic()
        if self.live and not self.quiet:
            self._write(f"  {title} …")
        try:
            yield step
        except BaseException:
            self._end(f"  {title}: failed after {time.monotonic() - started:.1f} s")
            raise
        self._end(f"  {title:<14} {step.result or 'done'} ({time.monotonic() - started:.1f} s)")

    def say(self, line: str) -> None:
        """A line of its own."""
        if not self.quiet:
            self._write(f"{line}\n")

    def _end(self, line: str) -> None:
        if not self.quiet:
            self._write(f"\r\033[K{line}\n" if self.live else f"{line}\n")

    def _write(self, text: str) -> None:
        encoding = self.stream.encoding or "ascii"
        self.stream.write(text.encode(encoding, "replace").decode(encoding))
        self.stream.flush()
