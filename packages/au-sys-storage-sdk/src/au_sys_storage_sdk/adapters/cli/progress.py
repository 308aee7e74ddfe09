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

    def __call__(self, what: str, number: int, total: int = 0) -> None:
        """See :class:`~au_sys_storage_sdk.core.progress.Progress`."""
        now = time.monotonic()
        if not self._shown or (now - self._drawn < _EVERY and number != total):
            return
        self._drawn = now
        sys.stderr.write("\r" + _line(what, number, total) + ("\n" if number == total else ""))
        sys.stderr.flush()


def _line(what: str, number: int, total: int) -> str:
    if not total:
        return f"{what:<10} {number:,}"
    share = min(number / total, 1.0)
    return f"{what:<10} [{'#' * round(share * _WIDTH):<{_WIDTH}}] {share:>4.0%} {number:,} of {total:,}"
