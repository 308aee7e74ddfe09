"""How much time is left for what is done on behalf of a request.

The time travels as ``X-Deadline-Ms``: what is left in milliseconds when the call is sent. It is relative, as in gRPC's
``grpc-timeout``, so that clocks need not agree. A caller can only shorten the time that the platform gives anyway.
"""

from time import perf_counter

from fastapi_services_platform.http.exchange import current

HEADER = "X-Deadline-Ms"
_LONGEST_DIGITS = 9


def asked_seconds(value: bytes) -> float | None:
    """What the caller's header says, or ``None`` when it is no number."""
    if not value.isdigit() or len(value) > _LONGEST_DIGITS:
        return None
    return int(value) / 1000


def seconds_left() -> float | None:
    """Until the request that is being answered is given up; ``None`` outside of one, or once the answer has begun."""
    exchange = current.get()
    if exchange is None or exchange.started or exchange.finished:
        return None
    return exchange.overdue_at() - perf_counter()
