"""Rate limits per tier and router, counted for each caller: by principal, else by address; a sliding window.

Only routes with a configured limit pay for it. Answers carry ``RateLimit-*``; a refusal has ``Retry-After`` (RFC 6585).
"""

from math import ceil
from time import time
from typing import TYPE_CHECKING

from fastapi_services_platform.errors import ConfigurationError
from fastapi_services_platform.http.exchange import Exchange
from fastapi_services_platform.http.problems import Problem
from fastapi_services_platform.http.routing import RouteEntry
from fastapi_services_platform.observability.logger_factory import get_logger

if TYPE_CHECKING:
    from limits import RateLimitItem

_log = get_logger(__name__)


class RateLimiter:
    """Counts requests of routes that have a limit; storage that does not answer lets requests through and is logged."""

    def __init__(self, storage: str) -> None:
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter
        from limits.errors import ConfigurationError as StorageMissing
        from limits.storage import storage_from_string

        try:
            kept = MemoryStorage() if storage == "memory://" else storage_from_string(f"async+{storage}")
            self._window = SlidingWindowCounterRateLimiter(kept)
        except (StorageMissing, ImportError, ValueError) as error:
            problem = f"{storage} cannot keep rate limits: {error}."
            raise ConfigurationError(
                problem, variable="FSP_RATE_LIMIT_STORAGE", fix="use memory:// or redis://."
            ) from None
        self._items: dict[str, RateLimitItem] = {}

    async def check(self, exchange: Exchange, entry: RouteEntry) -> Problem | None:
        """The refusal of a caller who asked too often, or ``None``; notes the headers of the answer either way."""
        wanted = entry.terms.rate_limit
        if wanted is None:
            return None
        item = self._items.get(wanted)
        if item is None:
            item = self._items[wanted] = parsed(wanted)
        identity = (entry.owner.name, entry.mount_name, _caller(exchange))
        try:
            allowed = await self._window.hit(item, *identity)
            reset, remaining = await self._window.get_window_stats(item, *identity)
        except Exception as error:  # a limit that cannot be counted must not close the platform
            _log.error("rate_limit.not_counted", error=repr(error))
            return None
        seconds = max(1, ceil(reset - time()))
        exchange.extra_headers += (
            (b"ratelimit-limit", str(item.amount).encode()),
            (b"ratelimit-remaining", str(max(0, remaining)).encode()),
            (b"ratelimit-reset", str(seconds).encode()),
        )
        if allowed:
            return None
        detail = (
            f"At most {item.amount} requests per {item.get_expiry()} s are answered here. Try again in {seconds} s."
        )
        return Problem(429, "too-many-requests", "Too many requests", detail, headers={"retry-after": str(seconds)})


def parsed(text: str) -> "RateLimitItem":
    """A limit such as ``100/minute`` or ``5 per 10 second``.

    Raises:
        ValueError: it is no limit.
    """
    from limits import parse

    return parse(text)


def _caller(exchange: Exchange) -> str:
    if exchange.principal is not None:
        return exchange.principal.urn
    client = exchange.scope.get("client")
    return f"address:{client[0]}" if client else "address:unknown"
