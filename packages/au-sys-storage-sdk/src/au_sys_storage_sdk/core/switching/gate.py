"""Lets writers through, slows them down, or holds them back for a moment until nobody is inside."""

from __future__ import annotations

import asyncio

_BRAKE = 0.001
_HARDEST = 0.05


class Gate:
    """Open at first. Writers call :meth:`enter` and :meth:`leave`; the switch shuts and opens it."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._empty = asyncio.Event()
        self._inside = 0
        self._brake = 0.0

    async def enter(self) -> None:
        """Wait until writers are let in."""
        if self._brake:
            await asyncio.sleep(self._brake)
        while not self._open.is_set():
            await self._open.wait()
        self._inside += 1

    def leave(self) -> None:
        """Tell that the write is over."""
        self._inside -= 1
        if not self._inside:
            self._empty.set()

    def slow_down(self) -> None:
        """Make writers slower than they were: else a target that is slower than the source is never reached."""
        self._brake = min(max(self._brake * 2, _BRAKE), _HARDEST)

    async def shut(self) -> None:
        """Keep writers out, and wait for those inside."""
        self._open.clear()
        self._empty.clear()
        if self._inside:
            await self._empty.wait()

    def resume(self) -> None:
        """Let everybody in again, as slow as they were: what could not be reached needs more of the brake, not less."""
        self._open.set()

    def open(self) -> None:
        """Let everybody in, at full speed."""
        self._brake = 0.0
        self._open.set()
