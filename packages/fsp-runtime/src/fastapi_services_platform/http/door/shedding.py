"""Load shedding: a limit on requests under way, so that no queue grows; the platform's own routes keep their lane."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic, thread_time

import orjson

from fastapi_services_platform.http.door.correlation import ALTERNATIVE, HEADER, accept
from fastapi_services_platform.http.door.security_headers import RawHeaders
from fastapi_services_platform.http.problems import Problem

OVERLOADED = Problem(
    503,
    "overloaded",
    "Too much to do",
    "More requests are under way than the platform takes on at once. Try again in a moment.",
    headers={"retry-after": "1"},
)
_FEW = 16
_WEIGHT = 0.2
_BURST = 5.0
_CREDIT_SECONDS = 10.0
_SLICES = 10
_MARK = "@correlation@"
_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Too much to do</title><h1>Too much to do</h1>"
    f"<p>{OVERLOADED.detail}</p><p>{_MARK}</p></html>"
)


class Turn:
    """How much work waits for the event loop: work that never waits itself fills no lane, but makes all others late.

    The server asks :meth:`takes` for each request that arrives, before anything is made of it: what waits already,
    times what a request has cost lately, is the time that it would wait. The first request of a turn notes the time
    and asks to be called at the next one, so that the cost is known. A request whose place in the turn is further
    back than ``longest`` seconds of work is turned away too, for servers that do not ask.

    Work is counted in CPU time of the loop's thread: a busy neighbour on the machine is no reason to refuse. A few
    requests are never too many, whatever they cost. And a burst is no overload: five times ``longest`` may wait beyond
    the limit before anybody is turned away; that credit comes back within ten seconds.

    What was taken does not begin all at once: :meth:`admit` lets a tenth of ``longest`` begin in a turn and the rest
    wait behind, so that between turns the loop looks at its connections and answers the platform's own routes.
    """

    __slots__ = (
        "_begun",
        "_behind",
        "_clock",
        "_credit",
        "_credited_at",
        "_longest",
        "_now",
        "_taken",
        "cost",
        "shed",
        "waiting",
    )

    def __init__(
        self, longest: float, clock: Callable[[], float] = thread_time, now: Callable[[], float] = monotonic
    ) -> None:
        self._longest = longest
        self._clock = clock
        self._now = now
        self._behind: deque[Callable[[], None]] = deque()
        self._credit = longest * _BURST
        self._credited_at = now()
        self._begun: float | None = None
        self._taken = 0
        self.cost = 0.0
        self.shed = 0
        self.waiting = 0

    def takes(self) -> bool:
        """Whether a request that arrives will be answered soon enough."""
        if self.waiting < _FEW or self.waiting * self.cost <= self._longest or self._on_credit():
            return True
        self.shed += 1
        return False

    @property
    def is_crowded(self) -> bool:
        """Whether what begins in the next turn is enough for it already."""
        return bool(self._behind) or self.waiting * self.cost >= self._longest / _SLICES

    def admit(self, start: Callable[[], None], *, at_once: bool) -> None:
        """Count a request as waiting, and have it begin in the next turn or in a later one. Asked by the server."""
        crowded = not at_once and self.is_crowded
        self.waiting += 1
        if not crowded:
            start()
            return
        self._behind.append(start)
        if len(self._behind) == 1:
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        while self._behind and (self.waiting - len(self._behind)) * self.cost < self._longest / _SLICES:
            self._behind.popleft()()
        if self._behind:
            asyncio.get_running_loop().call_soon(self._advance)

    def _on_credit(self) -> bool:
        now = self._now()
        most = self._longest * _BURST
        self._credit = min(most, self._credit + (now - self._credited_at) * most / _CREDIT_SECONDS)
        self._credited_at = now
        if self._credit < self.cost:
            return False
        self._credit -= self.cost
        return True

    def is_over(self, asked: bool) -> bool:
        """Note that a request begins; whether this turn has taken too long already for one that was not ``asked``."""
        now = self._clock()
        self._taken += 1
        if self._begun is None:
            self._begun = now
            asyncio.get_running_loop().call_soon(self._next)
            return False
        if asked or self._taken <= _FEW or now - self._begun <= self._longest or self._on_credit():
            return False
        self.shed += 1
        return True

    def _next(self) -> None:
        if self._begun is not None:
            spent = (self._clock() - self._begun) / self._taken
            self.cost += (spent - self.cost) * _WEIGHT
        self._begun = None
        self._taken = 0


class BusyAnswer:
    """The bytes of the refusal, for the server itself: made once, so that refusing costs next to nothing."""

    def __init__(self, strict: RawHeaders, public_url: str) -> None:
        plain = {"status": OVERLOADED.status, "title": OVERLOADED.title, "detail": OVERLOADED.detail}
        kind = {"type": f"{public_url.rstrip('/')}/problems/platform/{OVERLOADED.slug}", **plain}
        self._json = orjson.dumps({**kind, "correlation_id": _MARK}).split(_MARK.encode())
        self._html = _PAGE.encode().split(_MARK.encode())
        pause = [(name.encode(), value.encode()) for name, value in OVERLOADED.headers.items()]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in (*strict, *pause))
        self._head = b"HTTP/1.1 503 Service Unavailable\r\ncache-control: no-store\r\n" + lines

    def rendered(self, headers: list[tuple[bytes, bytes]], *, head: bool, closing: bool) -> bytes:
        """The answer to a request with these headers."""
        own_id, html = None, False
        for name, value in headers:
            if name == HEADER or (name == ALTERNATIVE and own_id is None):
                own_id = value
            elif name == b"accept":
                html = b"text/html" in value
        identity = accept(own_id).encode("ascii")
        body = identity.join(self._html if html else self._json)
        kind = b"text/html; charset=utf-8" if html else b"application/problem+json"
        return b"%scontent-type: %s\r\ncontent-length: %d\r\nx-correlation-id: %s\r\n%s\r\n%s" % (
            self._head,
            kind,
            len(body),
            identity,
            b"connection: close\r\n" if closing else b"",
            b"" if head else body,
        )


class Lane:
    """Counts what is under way; ``shed`` how many were turned away. A place in ``outer`` is taken with each place."""

    __slots__ = ("_outer", "limit", "shed", "under_way")

    def __init__(self, limit: int, outer: "Lane | None" = None) -> None:
        self.limit = limit
        self.under_way = 0
        self.shed = 0
        self._outer = outer

    def enter(self) -> bool:
        """Take a place, or say that there is none."""
        if self.under_way >= self.limit:
            self.shed += 1
            return False
        if self._outer is not None and not self._outer.enter():
            return False
        self.under_way += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1
        if self._outer is not None:
            self._outer.leave()
