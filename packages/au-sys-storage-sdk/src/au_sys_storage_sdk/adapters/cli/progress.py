"""A progress bar on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
import time

_WIDTH = 30
_EVERY = 0.1


class Bar:
    """Draws on standard error at most ten times a second, and the last one of each kind when it is full."""

    def __init__(self, *, shown: bool | None = None) -> None:
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._drawn = 0.0
        self._open = False
        self._full = ""

    def __call__(self, what: str, number: int, total: int = 0) -> None:
        """See :class:`~au_sys_storage_sdk.core.progress.Progress`."""
        now, full = time.monotonic(), number == total
        if not self._shown or (full and self._full == what) or (not full and now - self._drawn < _EVERY):
            return
        self._drawn, self._open, self._full = now, not full, what if full else ""
        sys.stderr.write("\r" + _line(what, number, total) + ("" if self._open else "\n"))
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line of a bar that was not full: whatever is printed next begins its own."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False


def _line(what: str, number: int, total: int) -> str:
    if not total:
        return f"{what:<10} {number:,}"
    share = min(number / total, 1.0)
    return f"{what:<10} [{'#' * round(share * _WIDTH):<{_WIDTH}}] {share:>4.0%} {number:,} of {total:,}"
