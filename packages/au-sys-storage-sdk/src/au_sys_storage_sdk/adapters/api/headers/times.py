"""Times of HTTP: the same second is formatted once."""

from email.utils import formatdate
from functools import lru_cache


def http_date(milliseconds: int) -> str:
    """Unix milliseconds as HTTP-date (RFC 9110 §5.6.7)."""
    return _of_second(milliseconds // 1000)


@lru_cache(maxsize=4096)
def _of_second(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
