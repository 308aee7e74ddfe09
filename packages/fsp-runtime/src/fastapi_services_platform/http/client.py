"""Outbound HTTP: pooled clients by name. Total time > retry > breaker > attempt time > pool.

Only idempotent calls are repeated, and only for failures that a repetition can mend: no connection, a time-out, 429,
502, 503, 504. ``Retry-After`` is honoured. Needs the extra ``client`` (httpx).
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx

from fastapi_services_platform.capability.contribution import Health
from fastapi_services_platform.http.exchange import current
from fastapi_services_platform.resilience.bulkhead import Bulkhead
from fastapi_services_platform.resilience.circuit_breaker import CircuitBreaker
from fastapi_services_platform.resilience.retry import RetryPolicy

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_MENDABLE = frozenset({429, 502, 503, 504})
_LONGEST_RETRY_AFTER = 30.0


class UpstreamBusy(Exception):
    """A mendable status; carries the response so that the last one can be given to the caller."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        super().__init__(f"{response.request.url.host} answered {response.status_code}")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How one upstream is called."""

    base_url: str = ""
    attempt_seconds: float = 5.0
    total_seconds: float = 15.0
    attempts: int = 3
    connections: int = 20
    waiting: int = 40
    rest_seconds: float = 5.0
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """One upstream with its pool, its breaker and its bulkhead. Lives as long as the app."""

    def __init__(self, name: str, settings: ClientSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.name = name
        self.breaker = CircuitBreaker(name, rest_seconds=settings.rest_seconds, is_failure=_is_upstreams_fault)
        self.bulkhead = Bulkhead(name, settings.connections, settings.waiting)
        self.retry = RetryPolicy(settings.attempts, total_seconds=settings.total_seconds)
        self._settings = settings
        self._http = httpx.AsyncClient(
            base_url=settings.base_url,
            headers=dict(settings.headers),
            timeout=settings.attempt_seconds,
            limits=httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections),
            transport=transport,
            verify=shared_tls(),
            follow_redirects=False,
        )

    async def request(self, method: str, url: str, **parts: Any) -> httpx.Response:  # Any: httpx's own parameters
        """The response of the upstream; a busy status that no repetition mended is given back as it is.

        Raises:
            CircuitOpen: the upstream failed too often and is left alone.
            BulkheadFull: too many calls are under way.
            TimeoutError: the total time is over.
            httpx.HTTPError: the last attempt failed.
        """
        headers = dict(parts.pop("headers", None) or {})
        exchange = current.get()
        if exchange is not None:
            headers.setdefault("X-Correlation-ID", exchange.correlation_id)

        async def attempt() -> httpx.Response:
            with self.breaker.guard():
                response = await self._http.request(method, url, headers=headers, **parts)
                if response.status_code in _MENDABLE:
                    raise UpstreamBusy(response)
                return response

        repeatable = method.upper() in _IDEMPOTENT
        try:
            async with asyncio.timeout(self._settings.total_seconds), self.bulkhead.enter():
                return await (self.retry.run(attempt, _transient) if repeatable else attempt())
        except UpstreamBusy as busy:
            return busy.response

    async def get(self, url: str, **parts: Any) -> httpx.Response:  # Any: as above
        """``request("GET", …)``."""
        return await self.request("GET", url, **parts)

    async def check(self) -> Health:
        """What the breaker knows, for a health check."""
        if self.breaker.state == "closed":
            return Health("healthy", data={"under_way": self.bulkhead.inside})
        return Health("degraded", f"the breaker is {self.breaker.state}", {"opened": self.breaker.opened})

    async def close(self) -> None:
        """Close the pool."""
        await self._http.aclose()


class Clients:
    """Every client of the platform, by name."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}

    def open(self, name: str, settings: ClientSettings) -> Client:
        """The client of an upstream; the same object for the same name."""
        if name not in self._clients:
            self._clients[name] = Client(name, settings)
        return self._clients[name]

    def all(self) -> tuple[Client, ...]:
        """Every client that was opened."""
        return tuple(self._clients.values())

    async def close(self) -> None:
        """Close every pool."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


@lru_cache(maxsize=1)
def shared_tls() -> ssl.SSLContext:
    """One TLS context for all clients: loading the certificates anew costs milliseconds and memory."""
    return httpx.create_ssl_context()


def retry_after(response: httpx.Response, now: datetime | None = None) -> float | None:
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
    return isinstance(error, httpx.TransportError)


def _is_upstreams_fault(error: Exception) -> bool:
    if isinstance(error, UpstreamBusy):
        return error.response.status_code != 429
    return isinstance(error, httpx.TransportError)
