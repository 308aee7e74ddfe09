"""Body size, header size and pace: refused before anything is parsed."""

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import Message, Receive

from fastapi_services_platform.http.problems import Problem, ProblemRaised

if TYPE_CHECKING:
    from fastapi_services_platform.http.exchange import Exchange

HEADER_LINE_BYTES = 65_536
"""What the server itself reads of a request head before it gives up."""

SLOWEST_BYTES = 4096
"""A second that a body must bring on the average once its first time limit is over."""

_SINGLE = (
    b"host",
    b"content-length",
    b"authorization",
    b"transfer-encoding",
    b"origin",
    b"content-type",
    b"x-csrf-token",
)


def header_problem(
    headers: list[tuple[bytes, bytes]], unique: Mapping[bytes, bytes], max_bytes: int, max_count: int
) -> Problem | None:
    """Why the headers are refused, or ``None``. ``unique`` is the same by name, the last one of a repeated name."""
    count = len(headers)
    if count > max_count:
        detail = f"At most {max_count} headers are accepted; the request has {count}."
        return Problem(431, "too-many-headers", "Too many headers", detail, {"limit": max_count})
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    if size > max_bytes:
        detail = f"Headers of at most {max_bytes} bytes are accepted."
        return Problem(431, "headers-too-large", "Headers too large", detail, {"limit": max_bytes})
    if len(unique) != count:
        names = [name for name, _ in headers]
        for name in _SINGLE:
            if names.count(name) > 1:
                text = name.decode("ascii")
                return Problem(400, "repeated-header", "Repeated header", f"The header {text} may be sent once only.")
    return None


def too_large(limit: int) -> Problem:
    """The refusal of a body; the limit is named."""
    detail = f"A body of at most {limit} bytes is accepted here."
    return Problem(413, "body-too-large", "Body too large", detail, {"limit": limit}, {"connection": "close"})


def length_problem(content_length: bytes | None, limit: int) -> Problem | None:
    """Why the announced length is refused, or ``None``."""
    if content_length is None:
        return None
    if not content_length.isdigit() or len(content_length) > 18:
        return Problem(400, "bad-content-length", "Bad Content-Length", "Content-Length must be a number.")
    return too_large(limit) if int(content_length) > limit else None


class LimitedBody:
    """``receive`` that counts: a body longer than it may be ends in a 413, whatever was announced.

    Each part renews the request's time limit, unless the body drips: then the limit is over when it is over.
    """

    __slots__ = ("_exchange", "_limit", "_receive", "_seen")

    def __init__(self, receive: Receive, limit: int, exchange: "Exchange") -> None:
        self._receive = receive
        self._limit = limit
        self._exchange = exchange
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise ProblemRaised(too_large(self._limit))
            exchange, now = self._exchange, perf_counter()
            if self._seen >= (now - exchange.begun - exchange.limit) * SLOWEST_BYTES:
                exchange.touched = now
        return message
