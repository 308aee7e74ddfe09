"""One upstream: its pool, its breaker, its bulkhead. Total time > retry > breaker > attempt time > pool.

Only idempotent calls are repeated, and only for failures that a repetition can mend: no connection, a time-out, 429,
502, 503, 504. ``Retry-After`` is honoured. The time that is left of the request being answered bounds the total time
and is sent on. Needs the extra ``client`` (httpx2). Cookies and redirects of an upstream are not followed.
"""

import asyncio
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import perf_counter
from typing import Any

import httpx2

from fastapi_services_platform.capability.contribution import Health
from fastapi_services_platform.http.exchange import current
from fastapi_services_platform.http.outbound.deadlines import HEADER as DEADLINE
from fastapi_services_platform.http.outbound.deadlines import seconds_left
from fastapi_services_platform.http.outbound.settings import ClientSettings
from fastapi_services_platform.observability.tracing.spans import Attribute, outgoing_headers, span
from fastapi_services_platform.resilience.bulkhead import Bulkhead, BulkheadFull
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker, CircuitOpen
from fastapi_services_platform.resilience.retry import RetryPolicy

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_MENDABLE = frozenset({429, 502, 503, 504})
_LONGEST_RETRY_AFTER = 30.0

OUTCOMES = ("answered", "failed", "late", "open", "full")
"""How a call may end, as the metrics name it."""


class UpstreamBusy(Exception):
    """A mendable status; carries the response so that the last one can be given to the caller."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        super().__init__(f"{response.request.url.host} answered {response.status_code}")


class Client:
    """One upstream. Lives as long as the app."""

    def __init__(self, name: str, settings: ClientSettings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.name = name
        self.settings = settings
        self.breaker = CircuitBreaker(name, rest_seconds=settings.rest_seconds, is_failure=_is_upstreams_fault)
        self.bulkhead = Bulkhead(name, settings.connections, settings.waiting)
        self.retry = RetryPolicy(settings.attempts, total_seconds=settings.total_seconds)
        self.calls = dict.fromkeys(OUTCOMES, 0)
        self.seconds = 0.0
        self._base = settings.base_url.rstrip("/")
        self._headers = dict(settings.headers)
        self._limits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), settings.attempt_seconds)}
        self._transport = transport or httpx2.AsyncHTTPTransport(
            verify=shared_tls(),
            http2=settings.http2,
            limits=httpx2.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections),
        )

    async def request(self, method: str, url: str, **parts: Any) -> httpx2.Response:  # Any: httpx2.Request's parameters
        """The response of the upstream; a busy status that no repetition mended is given back as it is.

        Raises:
            CircuitOpen: the upstream failed too often and is left alone.
            BulkheadFull: too many calls are under way.
            TimeoutError: the total time, or that of the request being answered, is over.
            httpx2.HTTPError: the last attempt failed.
        """
        begun = perf_counter()
        outcome = "answered"
        try:
            return await self._within_time(method.upper(), url, parts)
        except UpstreamBusy as busy:
            return busy.response
        except TimeoutError:
            outcome = "late"
            raise
        except CircuitOpen:
            outcome = "open"
            raise
        except BulkheadFull:
            outcome = "full"
            raise
        except BaseException:
            outcome = "failed"
            raise
        finally:
            self.calls[outcome] += 1
            self.seconds += perf_counter() - begun

    async def get(self, url: str, **parts: Any) -> httpx2.Response:  # Any: as above
        """``request("GET", …)``."""
        return await self.request("GET", url, **parts)

    async def check(self) -> Health:
        """What the breaker knows, for a health check."""
        data: dict[str, object] = {"under_way": self.bulkhead.inside, "most": self.settings.connections}
        if self.breaker.state == "closed":
            return Health("healthy", data=data)
        return Health("degraded", f"the breaker is {self.breaker.state}", {**data, "opened": self.breaker.opened})

    async def close(self) -> None:
        """Close the pool."""
        await self._transport.aclose()

    async def _within_time(
        self,
        method: str,
        url: str,
        parts: dict[str, Any],  # Any: as above
    ) -> httpx2.Response:
        left = seconds_left()
        total = self.settings.total_seconds if left is None else min(self.settings.total_seconds, left)
        if total <= 0:
            raise TimeoutError("the time of the request is over")
        until = perf_counter() + total
        headers = {**self._headers, **(parts.pop("headers", None) or {})}
        exchange = current.get()
        if exchange is not None:
            headers.setdefault("X-Correlation-ID", exchange.correlation_id)
        target = f"{self._base}/{url.lstrip('/')}" if self._base and "://" not in url else url

        async def attempt() -> httpx2.Response:
            headers[DEADLINE] = str(max(0, int((until - perf_counter()) * 1000)))
            attributes: dict[str, Attribute] = {"http.request.method": method, "fsp.upstream": self.name}
            with span(f"{method} {self.name}", "client", attributes):
                headers.update(outgoing_headers())
                response = await self._attempt(httpx2.Request(method, target, headers=headers, **parts))
                attributes["http.response.status_code"] = response.status_code
                return response

        async with asyncio.timeout(total), self.bulkhead.enter():
            return await (self.retry.run(attempt, _transient) if method in _IDEMPOTENT else attempt())

    async def _attempt(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, **self._limits}
        with self.breaker.guard():
            try:
                async with asyncio.timeout(self.settings.attempt_seconds):
                    response = await self._transport.handle_async_request(request)
                    response.request = request
                    await response.aread()
            except TimeoutError:
                raise httpx2.ReadTimeout("the attempt took too long", request=request) from None
            if response.status_code in _MENDABLE:
                raise UpstreamBusy(response)
            return response


@lru_cache(maxsize=1)
def shared_tls() -> ssl.SSLContext:
    """One TLS context for all clients: loading the certificates anew costs milliseconds and memory."""
    return httpx2.create_ssl_context()


def retry_after(response: httpx2.Response, now: datetime | None = None) -> float | None:
    """Seconds that ``Retry-After`` asks for (RFC 9110 §10.2.3), capped; ``None`` without a valid one."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return min(float(value), _LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _transient(error: Exception) -> "float | bool":
    if isinstance(error, UpstreamBusy):
        asked = retry_after(error.response)
        return True if asked is None else asked
    return isinstance(error, httpx2.TransportError)


def _is_upstreams_fault(error: Exception) -> bool:
    if isinstance(error, UpstreamBusy):
        return error.response.status_code != 429
    return isinstance(error, httpx2.TransportError)
