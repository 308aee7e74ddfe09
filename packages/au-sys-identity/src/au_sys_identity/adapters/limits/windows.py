"""Sliding windows of the limits library: in this process, or in Redis for all nodes.

A Redis that does not answer is told once, and this process counts alone until it answers again: strangers are still
limited, and nobody waits for it.
"""

from functools import lru_cache
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any

from fastapi_services_platform import get_logger

if TYPE_CHECKING:
    from limits import RateLimitItem

_logger = get_logger(__name__)
_REDIS_SECONDS = 1.0
_TRY_AGAIN_SECONDS = 5.0


class LibraryWindows:
    """Counts in memory, or in the Redis of ``url``. The library is imported when the first request is counted."""

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._own: Any = None  # Any: limits' strategies
        self._shared: Any = None  # Any: as above
        self._pool: Any = None  # Any: redis.asyncio.ConnectionPool, from the extra
        self._again = 0.0

    async def hit(self, limit: str, key: str) -> int:
        """See :class:`~au_sys_identity.core.sessions.volume.Windows`."""
        item = parsed(limit)
        if self._own is None:
            self._open()
        if self._shared is not None and monotonic() >= self._again:
            try:
                return await _hit(self._shared, item, key)
            except Exception as error:  # any failure of a server that only counts; sign-in goes on
                self._again = monotonic() + _TRY_AGAIN_SECONDS
                _logger.error("volume.counted_alone", error=type(error).__name__)
        return await _hit(self._own, item, key)

    async def close(self) -> None:
        """Hang up."""
        if self._pool is not None:
            await self._pool.aclose()

    def _open(self) -> None:
        from limits.aio.storage import MemoryStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter

        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        if self._url is None:
            return
        from limits.aio.storage import RedisStorage
        from redis.asyncio import ConnectionPool

        self._pool = ConnectionPool.from_url(
            self._url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
        )
        kept = RedisStorage(f"async+{self._url}", connection_pool=self._pool, implementation="redispy")
        self._shared = SlidingWindowCounterRateLimiter(kept)


async def _hit(window: Any, item: "RateLimitItem", key: str) -> int:  # Any: a strategy of the library
    if await window.hit(item, key):
        return 0
    length = item.get_expiry()
    before, _, now, expires = await window.storage.get_sliding_window(item.key_for(key), length)
    return seconds_until_room(item.amount, length, before, now, left=max(0.0, expires - length))


def seconds_until_room(limit: int, length: int, before: int, now: int, *, left: float) -> int:
    """When one more is within the limit: the window before counts with the share of it that is younger than a length.

    ``left`` is what is left of the window that counts ``now``.
    """
    if before and now < limit:
        return max(1, ceil(left - (limit - 1 - now) * length / before))
    return max(1, ceil(left + length - (limit - 1) * length / max(now, 1)))


@lru_cache(maxsize=64)
def parsed(limit: str) -> "RateLimitItem":
    """A limit such as ``30/minute`` or ``5 per 10 second``.

    Raises:
        ValueError: it is none.
    """
    from limits import parse

    return parse(limit)
