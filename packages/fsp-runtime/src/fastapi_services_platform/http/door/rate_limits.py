"""Rate limits per tier, router, route, caller and address.

A route has the limit that is nearest to it: its own, its router's, or its tier's, which all routers of the tier count
together. It is counted for each caller: by principal, else by address. Beside it a tier may limit what comes from one
address, whoever asks. Only routes with a configured limit pay for it. Answers carry ``RateLimit-*`` of the limit that
is nearest to its end; a refusal has ``Retry-After`` (RFC 6585).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from fastapi_services_platform.http.door.limit_windows import Counted, Windows
from fastapi_services_platform.http.exchange import Exchange
from fastapi_services_platform.http.problems import Problem
from fastapi_services_platform.observability.logger_factory import get_logger

if TYPE_CHECKING:
    from limits import RateLimitItem

    from fastapi_services_platform.http.routing import RouteEntry

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RateTerm:
    """One limit. ``scope`` names what is counted together; ``by_address`` counts an address whoever asks."""

    limit: str
    scope: str
    by_address: bool = False


class RateLimiter:
    """Counts requests of routes that have a limit; storage that does not answer lets requests through and is logged."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    async def check(self, exchange: Exchange, entry: "RouteEntry") -> Problem | None:
        """The refusal of a caller who asked too often, or ``None``; notes the headers of the answer either way."""
        tightest: tuple[RateLimitItem, Counted] | None = None
        for term in entry.terms.rate_limits:
            item = parsed(term.limit)
            who = _address(exchange) if term.by_address else _caller(exchange)
            try:
                counted = await self._windows.hit(item, f"{term.scope}|{item}|{who}")
            except Exception as error:  # a limit that cannot be counted must not close the platform
                _log.error("rate_limit.not_counted", error=repr(error))
                return None
            if tightest is None or not counted.allowed or counted.remaining < tightest[1].remaining:
                tightest = (item, counted)
            if not counted.allowed:
                break
        return _told(exchange, *tightest) if tightest is not None else None


def _told(exchange: Exchange, item: "RateLimitItem", counted: Counted) -> Problem | None:
    exchange.extra_headers += (
        (b"ratelimit-limit", str(item.amount).encode()),
        (b"ratelimit-remaining", str(counted.remaining).encode()),
        (b"ratelimit-reset", str(counted.seconds).encode()),
    )
    if counted.allowed:
        return None
    times = f"At most {item.amount} requests per {item.get_expiry()} s are answered here."
    detail = f"{times} Try again in {counted.seconds} s."
    pause = {"retry-after": str(counted.seconds)}
    return Problem(429, "too-many-requests", "Too many requests", detail, headers=pause)


@lru_cache(maxsize=1024)
def parsed(text: str) -> "RateLimitItem":
    """A limit such as ``100/minute`` or ``5 per 10 second``.

    Raises:
        ValueError: it is no limit.
    """
    from limits import parse

    return parse(text)


def _caller(exchange: Exchange) -> str:
    return exchange.principal.urn if exchange.principal is not None else _address(exchange)


def _address(exchange: Exchange) -> str:
    client = exchange.scope.get("client")
    return f"address:{client[0]}" if client else "address:unknown"
