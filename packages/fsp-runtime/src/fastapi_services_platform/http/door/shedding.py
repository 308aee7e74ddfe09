"""Load shedding: a limit on requests under way, so that no queue grows; the platform's own routes keep their lane."""

import asyncio
from collections.abc import Callable
from time import thread_time

from fastapi_services_platform.http.problems import Problem

OVERLOADED = Problem(
    503,
    "overloaded",
    "Too much to do",
    "More requests are under way than the platform takes on at once. Try again in a moment.",
    headers={"retry-after": "1"},
)


class Turn:
    """How long the event loop has been on one turn: work that never waits fills no lane, but makes all others late.

    The first request of a turn notes the time and asks to be called at the next one. A request whose place in the turn
    is further back than ``longest`` seconds of work is turned away, which costs little, so that the turn comes to its
    end. Work is counted in CPU time of the loop's thread: a busy neighbour on the machine is no reason to refuse.
    """

    __slots__ = ("_begun", "_clock", "_longest", "shed")

    def __init__(self, longest: float, clock: Callable[[], float] = thread_time) -> None:
        self._longest = longest
        self._clock = clock
        self._begun: float | None = None
        self.shed = 0

    def is_over(self) -> bool:
        """Whether this turn has taken too long already."""
        now = self._clock()
        if self._begun is None:
            self._begun = now
            asyncio.get_running_loop().call_soon(self._next)
            return False
        if now - self._begun <= self._longest:
            return False
        self.shed += 1
        return True

    def _next(self) -> None:
        self._begun = None


class Lane:
    """Counts what is under way; ``shed`` how many were turned away."""

    __slots__ = ("limit", "shed", "under_way")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.under_way = 0
        self.shed = 0

    def enter(self) -> bool:
        """Take a place, or say that there is none."""
        if self.under_way >= self.limit:
            self.shed += 1
            return False
        self.under_way += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1
