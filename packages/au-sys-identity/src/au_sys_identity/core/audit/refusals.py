"""Keep who was denied what, without letting anybody flood the log.

Of each caller so many refusals a minute are events of their own; what is beyond is counted, and the count stands in the
caller's next one.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from au_sys_identity.core.events import Fact
from au_sys_identity.core.ports import Clock, Transactions

DENIED = "access.denied"
_MOST_A_MINUTE = 30
_MOST_CALLERS = 10_000
_WINDOW = timedelta(minutes=1)


@dataclass(slots=True)
class _Window:
    begun: datetime
    kept: int = 0
    left_out: int = 0


class Refusals:
    """Refusals of this process, by caller."""

    def __init__(self, transactions: Transactions, clock: Clock, *, most: int = _MOST_A_MINUTE) -> None:
        self._transactions = transactions
        self._clock = clock
        self._most = most
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    async def keep(self, actor: str, request: str, problem: str, permission: str | None = None) -> None:
        """Write an event, or count it. ``request`` is method and route, never the path with what was in it."""
        window = self._window(actor)
        if window.kept >= self._most:
            window.left_out += 1
            return
        window.kept += 1
        details: dict[str, object] = {"problem": problem}
        if permission is not None:
            details["permission"] = permission
        if window.left_out:
            details["left_out_before"], window.left_out = window.left_out, 0
        async with self._transactions.writing() as unit:
            unit.record(Fact(DENIED, actor, request, "denied", details=details))

    def _window(self, actor: str) -> _Window:
        """The present minute of a caller; of very many, the one not heard of for longest is forgotten."""
        now = self._clock()
        known = self._windows.get(actor, _Window(now))
        if now - known.begun >= _WINDOW:
            known = replace(known, begun=now, kept=0)
        self._windows[actor] = known
        self._windows.move_to_end(actor)
        while len(self._windows) > _MOST_CALLERS:
            self._windows.popitem(last=False)
        return known
